"""Functions that are decorated with a consumer, in each form that functions have."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import trace
from sereno_telemetry import Consumer, Delivery, current_message
from support.work import SAMPLED, TRACE, Tracing, current_ids, trace_id

Series = Callable[[str], Mapping[tuple[str, ...], float]]

DURATIONS = "messaging_process_duration_seconds_count"
ACTIVITY = "messaging_consumer_last_activity_timestamp_seconds"
HERE = ("rabbitmq", "orders")


PIKA = (
    object(),
    SimpleNamespace(redelivered=True),
    SimpleNamespace(headers=SAMPLED, timestamp=1_795_373_990, message_id=None),
    b"body",
)
AIO_PIKA = (SimpleNamespace(headers=SAMPLED, timestamp=None, redelivered=True, message_id="m"),)


@pytest.mark.parametrize("arguments", [PIKA, AIO_PIKA], ids=["pika", "aio-pika"])
def test_a_decorated_handler_finds_its_message(
    orders: Consumer, series: Series, tracing: Tracing, arguments: tuple[Any, ...]
) -> None:
    """Callbacks of pika and aio-pika are decorated as they are, functions and methods."""

    class Worker:
        @orders
        def on_message(self, *given: Any) -> str:
            current_message().retry("later")
            assert given == arguments
            return "done"

    assert Worker().on_message(*arguments) == "done"
    assert series("messaging_redeliveries_total") == {HERE: 1}
    assert series(DURATIONS) == {(*HERE, "retried", "later"): 1}
    assert trace_id(tracing.only()) == TRACE


def test_async_handlers_are_measured_to_their_end(orders: Consumer, series: Series, tracing: Tracing) -> None:
    """A coroutine is over when it was awaited; messages side by side keep their own traces."""

    @orders
    async def handle(_: Delivery) -> tuple[str, str]:
        await asyncio.sleep(0)
        assert series("messaging_messages_in_progress") == {HERE: 2}
        await asyncio.sleep(0)
        return current_ids()

    async def both() -> Sequence[tuple[str, str]]:
        other = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
        async with orders.processing() as message:
            message.reject()
        return await asyncio.gather(handle(Delivery(SAMPLED)), handle(Delivery(other)))

    ids = asyncio.run(both())
    assert [each[0] for each in ids] == [TRACE, "a" * 32]
    assert len(tracing.spans()) == 3
    assert series("messaging_messages_in_progress") == {HERE: 0}


def test_a_cancelled_handler_is_counted(orders: Consumer, series: Series) -> None:
    """A task that is cancelled in the middle of a message leaves nothing in progress."""

    @orders
    async def handle(_: Delivery) -> None:
        await asyncio.Event().wait()

    async def cancel() -> None:
        task = asyncio.create_task(handle(Delivery()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert series("messaging_messages_in_progress") == {HERE: 0}
    assert series(DURATIONS) == {(*HERE, "failed", "CancelledError"): 1}


def test_a_generator_has_its_context_only_while_it_runs(orders: Consumer, series: Series) -> None:
    """Between two items the caller's context is the caller's; values sent and exceptions thrown in arrive."""

    @orders
    def handle(_: Delivery) -> Generator[str, str, None]:
        said = yield current_ids()[0]
        assert said == "go on"
        try:
            yield "second"
        except LookupError:
            yield current_ids()[0]

    steps: Any = handle(Delivery(SAMPLED))
    assert next(steps) == TRACE
    assert not trace.get_current_span().get_span_context().is_valid
    assert steps.send("go on") == "second"
    assert steps.throw(LookupError()) == TRACE
    assert series(DURATIONS) == {}
    assert next(steps, "over") == "over"
    assert series(DURATIONS) == {(*HERE, "ok", ""): 1}


def test_an_async_generator_is_measured_to_its_end(orders: Consumer, series: Series) -> None:
    """The same for async generators, left early or not."""
    ended: list[str] = []

    @orders
    async def handle(_: Delivery) -> AsyncIterator[str]:
        try:
            yield current_ids()[0]
            await asyncio.sleep(0)
            yield current_ids()[0]
        finally:
            ended.append(current_ids()[0])

    async def read() -> list[str]:
        early: Any = handle(Delivery(SAMPLED))
        assert await anext(early) == TRACE
        assert not trace.get_current_span().get_span_context().is_valid
        await early.aclose()
        return [item async for item in handle(Delivery(SAMPLED))]

    assert asyncio.run(read()) == [TRACE, TRACE] == ended
    assert series(DURATIONS) == {(*HERE, "ok", ""): 2}
