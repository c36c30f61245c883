"""A load generator that keeps its pace whatever the service does; what it sends is a system's `Mix`."""

import asyncio
import contextlib
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import click
import httpx

from reference_system.load_plan import DayShape, Mix, PlannedRequest, due_times, flat
from reference_system.settings import HIGHEST_PORT

SUCCESS = frozenset({200, 201})
_FURTHEST_BEHIND_SECONDS = 1.0
_LAST_ANSWERS_SECONDS = 1.0


@dataclass(slots=True)
class Tally:
    """What became of the requests; what was sent and is neither ok nor failed is on its way."""

    sent: int = 0
    ok: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> int:
        """Requests that did not succeed, for whatever reason."""
        return self.failures.total()

    def line(self, elapsed_seconds: float) -> str:
        """The tally in one line."""
        reasons = ", ".join(f"{reason} x{count}" for reason, count in self.failures.most_common(3))
        rate = self.sent / elapsed_seconds if elapsed_seconds > 0 else 0.0
        return f"{elapsed_seconds:.0f} s: sent {self.sent} ({rate:.1f}/s), ok {self.ok}, failed {self.failed}" + (
            f" ({reasons})" if reasons else ""
        )


class Load:
    """Sends requests when they are due; never waits for an answer to send the next, never has too many under way."""

    def __init__(self, client: httpx.AsyncClient, mix: Mix, *, most_under_way: int) -> None:
        self.tally = Tally()
        self._client = client
        self._mix = mix
        self._most_under_way = most_under_way
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(
        self, requests_per_second: float, shape: Callable[[float], float], duration: float | None, stop: asyncio.Event
    ) -> None:
        """Send until `duration` seconds are over or `stop` is set, then give the last answers a moment."""
        began = time.monotonic()
        for due in due_times(requests_per_second, shape):
            if duration is not None and due >= duration:
                break
            ahead = began + due - time.monotonic()
            if ahead < -_FURTHEST_BEHIND_SECONDS:  # the machine slept: a burst of what was missed would be no traffic
                began -= ahead
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(ahead, 0.0))
            if stop.is_set():
                break
            self._send(self._mix.next())
        await self._finish()

    def _send(self, planned: PlannedRequest) -> None:
        self.tally.sent += 1
        if len(self._under_way) >= self._most_under_way:
            self.tally.failures["too many under way"] += 1
            return
        task = asyncio.create_task(self._exchange(planned))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _exchange(self, planned: PlannedRequest) -> None:
        try:
            response = await self._client.request(
                planned.method, planned.path, json=planned.body, headers=dict(planned.headers)
            )
        except httpx.TimeoutException:
            self.tally.failures["no answer in time"] += 1
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.tally.failures["no connection" if isinstance(error, httpx.ConnectError) else "connection broke"] += 1
        except asyncio.CancelledError:
            self.tally.failures["cut off at the end"] += 1
        else:
            self._count(planned, response)

    def _count(self, planned: PlannedRequest, response: httpx.Response) -> None:
        if response.status_code not in SUCCESS:
            self.tally.failures[f"HTTP {response.status_code}"] += 1
            return
        self.tally.ok += 1
        with contextlib.suppress(ValueError, TypeError, KeyError):  # whoever answers there may not be our service
            self._mix.learn(planned, response.json() if response.content else None)

    async def _finish(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_LAST_ANSWERS_SECONDS)
        for task in tuple(self._under_way):
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_LAST_ANSWERS_SECONDS)


@dataclass(frozen=True, slots=True)
class Options:
    """What the load generator was told."""

    url: str
    requests_per_second: float
    shape: Callable[[float], float]
    duration: float | None
    timeout: float
    most_under_way: int
    report_every: float


async def generate(options: Options, mix: Mix) -> Tally:
    """Run the load with its reports until its time is over, or SIGTERM or SIGINT ends it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    limits = httpx.Limits(max_connections=options.most_under_way, max_keepalive_connections=20)
    began = time.monotonic()
    # trust_env: a proxy of the surroundings must not stand between the load and the service.
    async with httpx.AsyncClient(
        base_url=options.url, timeout=options.timeout, limits=limits, trust_env=False
    ) as client:
        load = Load(client, mix, most_under_way=options.most_under_way)
        reports = asyncio.create_task(_report(load.tally, began, options.report_every, stop))
        await load.run(options.requests_per_second, options.shape, options.duration, stop)
        reports.cancel()
    _say(f"done after {load.tally.line(time.monotonic() - began)}", stop)
    return load.tally


async def _report(tally: Tally, began: float, every: float, stop: asyncio.Event) -> None:
    while True:
        await asyncio.sleep(every)
        _say(tally.line(time.monotonic() - began), stop)


def _say(line: str, stop: asyncio.Event) -> None:
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:  # nobody listens any more
        stop.set()


def _web_address(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL as error:
        raise click.BadParameter(f"{value!r}: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host or not 0 < (url.port or 80) <= HIGHEST_PORT:
        raise click.BadParameter(f"{value!r} is no web address; write for example http://127.0.0.1:18080")
    return value


def _moment(_: click.Context, __: click.Parameter, value: str | None) -> datetime:
    if value is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no moment; write for example 2026-11-20T08:00:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def load_command(mix: Callable[[Random], Mix], *, doc: str, default_rate: float = 20.0) -> click.Command:
    """The command line of a system's load generator.

    Args:
        mix: makes what is sent from a random generator with the seed of the command line.
        doc: its help.
        default_rate: requests a second where the command line names none.
    """

    @click.command(context_settings={"help_option_names": ["-h", "--help"]}, help=doc)
    @click.option("--url", required=True, callback=_web_address, help="Where the API is.")
    @click.option(
        "--requests-per-second",
        type=click.FloatRange(0.01, 1000),
        default=default_rate,
        show_default=True,
        help="Mean of the day.",
    )
    @click.option(
        "--shape", type=click.Choice(["day", "flat"]), default="day", show_default=True, help="Traffic over time."
    )
    @click.option(
        "--speed",
        type=click.FloatRange(0.001, 100_000),
        default=1.0,
        show_default=True,
        help="Simulated seconds per second: 60 makes a day of 24 minutes. The mean rate stays as it is.",
    )
    @click.option(
        "--start-at", callback=_moment, metavar="ISO", help="Simulated time at the start (UTC unless it says)."
    )
    @click.option("--duration", type=click.FloatRange(min=0), metavar="SECONDS", help="Stop by itself after so long.")
    @click.option("--seed", type=int, default=1, show_default=True, help="The same seed sends the same mix.")
    @click.option(
        "--timeout", type=click.FloatRange(0.01, 300), default=5.0, show_default=True, help="Seconds per request."
    )
    @click.option(
        "--most-under-way",
        type=click.IntRange(1, 10_000),
        default=200,
        show_default=True,
        help="Requests without an answer yet; what comes on top is not sent and counts as failed.",
    )
    @click.option(
        "--report-every",
        type=click.FloatRange(0.1, 3600),
        default=5.0,
        show_default=True,
        metavar="SECONDS",
        help="Time between the lines of the report.",
    )
    def command(*, shape: str, speed: float, start_at: datetime, seed: int, **given: Any) -> None:
        options = Options(shape=DayShape(start_at, speed) if shape == "day" else flat, **given)
        asyncio.run(generate(options, mix(Random(seed))))  # noqa: S311 - no secret

    return command
