"""A collector is put together as the command line asks for it, and works until it is told to stop."""

import gc
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.log_collection.listeners import otlp_input, protection_of, serve_metrics
from sereno_cli.log_collection.request import (
    InvalidInput,
    Request,
    Unreachable,
    elasticsearch_url,
    reason,
    retentions_of,
    say,
    settings_of,
)

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from sereno_backends.logs import LogStore
    from sereno_backends.logs.lifecycle import Retentions
    from sereno_collectors.logs import LogCollector
    from sereno_collectors.logs.housekeeping import Housekeeping
    from sereno_collectors.logs.model import Input

    from sereno_cli.web_protection import Protection

LOOK_SECONDS = 0.2
ALLOCATIONS_BEFORE_GARBAGE = 50_000
"""By itself Python looks for garbage after every 700."""
STOP_SECONDS = 1.2  # with the interpreter's own end below the two seconds that a stop may take


def collect(request: Request, cleanup: ExitStack) -> ExitCode:
    """Collect until the end that was asked for; the cleanup closes what was opened."""
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry()
    protection = protection_of(request)
    retentions = None if request.once else retentions_of(request)
    store = _open_store(request)
    stop = threading.Event()
    collector = _build(request, store, registry, stop, cleanup, protection=protection)
    _look_for_garbage_seldom(cleanup)
    if request.once:
        with closing(store):
            return _collect_once(collector, request, registry)
    housekeeping = _housekeeping(request, retentions, registry, stop)
    metrics_url = serve_metrics(request, registry, protection, cleanup)
    scheme = "http" if protection is None or protection.tls is None else "https"
    names = ", ".join(
        [
            *(str(file) for file in request.files),
            *(["standard input"] if request.stdin else []),
            *([f"OTLP on {scheme}://{request.otlp[0]}:{request.otlp[1]}/v1/logs"] if request.otlp else []),
        ]
    )
    ended: SimpleQueue[None] = SimpleQueue()
    with _signals_put(ended):
        click.echo(f"collecting {names} into {store.name}, metrics on {metrics_url}, Ctrl-C stops")
        sys.stdout.flush()  # whoever waits for this line may send a signal now
        # A daemon: where it hangs in a request, what it was at is done again at the next start.
        threading.Thread(target=housekeeping.run, args=(stop,), name="housekeeping", daemon=True).start()
        return _follow(collector, store, stop, ended)


def _look_for_garbage_seldom(cleanup: ExitStack) -> None:
    """What lines become is never in a cycle, and there are many: looking for garbage among them finds none."""
    cleanup.callback(gc.set_threshold, *gc.get_threshold())
    cleanup.callback(gc.unfreeze)
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_BEFORE_GARBAGE)


def _open_store(request: Request) -> "LogStore":
    """Open the store that is meant and see whether it works at all; a server that is down may come back later."""
    from sereno_backends.logs import LogQuery, LogStoreRefused, LogStoreUnreachable, open_log_store

    url = elasticsearch_url(request)
    try:
        store = open_log_store(url or str(request.log_store))
        store.write(())  # makes the file
        now = datetime.now(UTC)
        store.count(LogQuery(start=now, end=now))
    except LogStoreRefused as error:
        raise InvalidInput(str(error)) from error
    except LogStoreUnreachable as error:
        if request.once or not url:
            raise Unreachable(str(error)) from error
        say(f"{error}; waiting for it, the files keep the lines meanwhile")
    return store


def _housekeeping(
    request: Request, retentions: "Retentions | None", registry: "CollectorRegistry", stop: threading.Event
) -> "Housekeeping":
    """What is done for the store beside collecting."""
    from sereno_collectors.logs.housekeeping import Housekeeping, HousekeepingMetrics, chores_of

    place = elasticsearch_url(request, quietly=True) or str(request.log_store)
    chores = chores_of(place, retentions, lambda: datetime.now(UTC), stop)
    return Housekeeping(chores, HousekeepingMetrics(registry, time.time, chores), say)


def _build(
    request: Request,
    store: "LogStore",
    registry: "CollectorRegistry",
    stop: threading.Event,
    cleanup: ExitStack,
    *,
    protection: "Protection | None",
) -> "LogCollector":
    from sereno_collectors.logs import (
        Checkpoint,
        CheckpointError,
        CollectorMetrics,
        LockError,
        LogCollector,
        QueueError,
    )
    from sereno_collectors.logs import Surroundings as Around

    try:
        checkpoint = Checkpoint(request.checkpoint, store=store.name)
    except (CheckpointError, LockError) as error:
        raise InvalidInput(str(error)) from error
    cleanup.callback(checkpoint.close)
    if checkpoint.earlier_store not in (None, store.name):
        say(
            f"the checkpoint {request.checkpoint} is of {checkpoint.earlier_store}: what that store has is not read "
            f"again for {store.name} (another --checkpoint begins at the beginning)"
        )
    metrics = CollectorMetrics(registry, time.time)
    try:
        collector = LogCollector(
            settings_of(request),
            store=store,
            checkpoint=checkpoint,
            stop=stop,
            surroundings=Around(metrics, report=say),
            inputs=_inputs(request, protection),
        )
    except (QueueError, LockError) as error:
        raise InvalidInput(str(error)) from error
    cleanup.callback(collector.close)
    return collector


def _inputs(request: Request, protection: "Protection | None") -> "list[Input]":
    """What is read beside files."""
    inputs: list[Input] = []
    if request.stdin:
        from sereno_collectors.logs.inputs.stdin import StdinInput

        if sys.stdin is None:  # Python's own mark of a closed one
            raise InvalidInput("--stdin: standard input is closed")
        piped = StdinInput(
            sys.stdin.fileno(),
            run=uuid4().hex,
            report=say,
            form=request.formats.default,
            service=request.service,
            dataset=request.dataset,
        )
        inputs.append(piped)
    if request.otlp:
        inputs.append(otlp_input(request, request.otlp, protection))
    return inputs


def _collect_once(collector: "LogCollector", request: Request, registry: "CollectorRegistry") -> ExitCode:
    from sereno_backends.logs import LogStoreError
    from sereno_collectors.logs import QueueError, QueueFull, QueueUnavailable

    try:
        collector.collect_once()
    except (LogStoreError, QueueError, QueueFull, QueueUnavailable, OSError) as error:
        raise Unreachable(f"{error}; run it again, it goes on from there") from error

    def figure(name: str, **labels: str) -> int:
        return int(registry.get_sample_value(f"sereno_collector_{name}", labels) or 0)

    indexed, duplicates, dead = (
        figure("documents_total", outcome=outcome) for outcome in ("indexed", "duplicate", "dead_lettered")
    )
    click.echo(f"indexed {indexed}, duplicates {duplicates}, dead letters {dead}")
    if dead:
        say(f"the store refused {dead} lines; {_where_they_are(request)}, with the reasons")
    if waiting := figure("lag_bytes"):
        say(f"{waiting} bytes are the beginning of a JSON line that has no end yet: left for the next time")
    return ExitCode.OK


def _where_they_are(request: Request) -> str:
    in_file = f"they are in {request.dead_letters}"
    return f"`sereno logs search --dead-letters` shows them, or {in_file}" if elasticsearch_url(request) else in_file


def _follow(
    collector: "LogCollector", store: "LogStore", stop: threading.Event, ended: "SimpleQueue[None]"
) -> ExitCode:
    """Collect in a thread until a signal comes; a store that hangs does not hold up the end."""
    from sereno_collectors.logs import QueueError

    bugs: list[Exception] = []

    def work() -> None:
        try:
            with closing(store):
                collector.follow()
        except Exception as error:  # noqa: BLE001 - raised again in the main thread
            bugs.append(error)
        finally:
            ended.put(None)

    # A daemon: when it hangs in a request, ending is safe, for only what was answered is noted as done.
    thread = threading.Thread(target=work, name="collector", daemon=True)
    thread.start()
    _wait_for(ended)
    stop.set()
    thread.join(STOP_SECONDS)
    if bugs and isinstance(bugs[0], QueueError):
        raise Unreachable(f"{bugs[0]}; start again: what can be read of the queue is rescued then") from bugs[0]
    if bugs and isinstance(bugs[0], OSError):
        raise Unreachable(f"{reason(bugs[0])}; what was read is queued, the next start goes on from there") from bugs[0]
    if bugs:
        raise bugs[0]
    if thread.is_alive():
        say("the store did not answer in time; what is queued is sent at the next start")
    return ExitCode.OK


def _wait_for(ended: "SimpleQueue[None]") -> None:
    """Wait for the end; a signal that comes as waiting begins wakes nobody, so it is looked for now and then."""
    while True:
        with suppress(Empty):
            ended.get(timeout=LOOK_SECONDS)
            return


@contextmanager
def _signals_put(ended: "SimpleQueue[None]") -> Iterator[None]:
    """SIGTERM and Ctrl-C put something there instead of ending the process.

    Its `put` may interrupt its own `get`; an event that is set while this very thread begins to wait for it hangs.
    """
    before = {number: signal.signal(number, lambda *_: ended.put(None)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
