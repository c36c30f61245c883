"""Both layers around a watched function: it runs once, and its outcome is its own."""

import gc
import weakref
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry
from sereno_telemetry.clients.guarding import Guard
from sereno_telemetry.metrics.health import health_of


class Refused(Exception):  # noqa: N818 - reads as what happened
    """The watched function's own exception; it can be watched."""


class Client:
    """A library's class."""

    asked = 0

    def ask(self) -> str:
        """Refuse."""
        Client.asked += 1
        raise Refused

    async def ask_async(self) -> str:
        """Refuse, later."""
        Client.asked += 1
        raise Refused


@pytest.fixture(params=["ask", "ask_async"])
def method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a method that is watched; put back afterwards."""
    name = str(request.param)
    monkeypatch.setattr(Client, name, getattr(Client, name))
    monkeypatch.setattr(Client, "asked", 0)
    return name


def ask(method: str) -> None:
    """Call it."""
    if method == "ask":
        Client().ask()
    else:
        Client().ask_async().send(None)  # it never waits; a task of asyncio would keep its exception


def instrument(method: str, registry: CollectorRegistry, failure: Callable[[Exception], Exception]) -> None:
    """Lay a guard around an instrumentation that raises what `failure` makes of the function's exception."""
    guard = Guard(Client, method, f"test:Client.{method}", health_of(registry))
    guard.lay_below()
    below = getattr(Client, method)

    def instrumented(client: Client) -> str:
        try:
            answer: str = below(client)
        except Refused as error:
            raise failure(error)  # noqa: B904 - as a clumsy instrumentation does
        return answer

    async def instrumented_async(client: Client) -> str:
        try:
            answer: str = await below(client)
        except Refused as error:
            raise failure(error)  # noqa: B904
        return answer

    setattr(Client, method, instrumented if method == "ask" else instrumented_async)
    guard.lay_above()


def test_the_function_s_own_exception_wins(method: str, registry: CollectorRegistry) -> None:
    """An instrumentation that breaks over the function's exception is noted; the function isn't called again."""
    instrument(method, registry, failure=lambda _own: RuntimeError("broken instrumentation"))
    with pytest.raises(Refused) as raised:
        ask(method)
    assert raised.value.__cause__ is None
    assert not raised.value.__suppress_context__
    assert Client.asked == 1
    assert registry.get_sample_value("sereno_telemetry_errors_total") == 1


def test_no_exception_is_kept_alive(method: str, registry: CollectorRegistry) -> None:
    """An exception that the application is done with is gone: no cycle of ours keeps its frames."""

    def watched() -> "weakref.ref[Refused]":
        try:
            ask(method)
        except Refused as error:
            return weakref.ref(error)
        raise AssertionError

    instrument(method, registry, failure=lambda own: own)
    gc.disable()
    try:
        assert watched()() is None
    finally:
        gc.enable()
