"""What AWS Lambda would tell CloudWatch of the subscriber, told by the subscriber itself.

moto runs no functions, so nobody else can. Everything is measured: an invocation is a batch that was really stored, or
not. A cold start is what it is in Lambda: the first invocation of a new process, with the time from the process' start
until it could work; or the first one after so long without work that Lambda would have taken process and connections
away, with the time that it takes to connect again.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from transactions_api.aws import Aws, asked
from transactions_api.model import Transaction
from transactions_api.store import Writable
from transactions_api.topic import TopicUnavailable

_EVERY_SECONDS = 15.0
_MINUTE_SECONDS = 60
_MOST_MINUTES = 60
"""That are kept while CloudWatch can't be told."""

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Minute:
    """The invocations that began in one minute: Lambda counts them so."""

    seconds: list[float] = field(default_factory=list)
    """Of each, how long it took."""
    errors: int = 0
    init_seconds: list[float] = field(default_factory=list)
    """Of each cold start."""


class Invocations:
    """The account of invocations, by the minute; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minutes: dict[int, Minute] = {}

    def add(self, began_seconds: float, seconds: float, *, failed: bool, init_seconds: float | None) -> None:
        """One invocation; `began_seconds` since the epoch."""
        with self._lock:
            minute = self._minutes.setdefault(int(began_seconds) // _MINUTE_SECONDS * _MINUTE_SECONDS, Minute())
            minute.seconds.append(seconds)
            minute.errors += failed
            if init_seconds is not None:
                minute.init_seconds.append(init_seconds)

    def take(self) -> Mapping[int, Minute]:
        """Everything that was added since the last time, by the minute's begin."""
        with self._lock:
            taken, self._minutes = self._minutes, {}
            return taken

    def put_back(self, taken: Mapping[int, Minute]) -> None:
        """What could not be told; beyond an hour the oldest is forgotten."""
        with self._lock:
            for begin, minute in taken.items():
                kept = self._minutes.setdefault(begin, Minute())
                kept.seconds[:0] = minute.seconds
                kept.errors += minute.errors
                kept.init_seconds[:0] = minute.init_seconds
            for begin in sorted(self._minutes)[:-_MOST_MINUTES]:
                del self._minutes[begin]


class InvokedStore:
    """The subscriber's writing, invocation by invocation.

    Args:
        store: where to.
        reconnect: closes its connections and opens one. Raises `StoreUnavailable`.
        invocations: the account.
        started_seconds: when this process started, seconds since the epoch; until now it could do nothing.
        idle_seconds: after so long without work, Lambda would have taken the connections away.
    """

    def __init__(
        self,
        store: Writable,
        *,
        reconnect: Callable[[], None],
        invocations: Invocations,
        started_seconds: float,
        idle_seconds: float,
    ) -> None:
        self._store = store
        self._reconnect = reconnect
        self._invocations = invocations
        self._idle_seconds = idle_seconds
        self._init_seconds: float | None = time.time() - started_seconds
        """Of a cold start that no invocation has told yet."""
        self._last = time.monotonic()

    def add(self, transactions: Sequence[Transaction]) -> None:
        """One invocation. Raises `StoreUnavailable` or `Unstorable`."""
        began_seconds, began, failed = time.time(), time.perf_counter(), True
        try:
            if time.monotonic() - self._last > self._idle_seconds:
                self._reconnect()
                self._init_seconds = time.perf_counter() - began
                began = time.perf_counter()  # the duration of an invocation is told without its cold start
            self._store.add(transactions)
            failed = False
        finally:
            seconds, self._last = time.perf_counter() - began, time.monotonic()
            init_seconds, self._init_seconds = self._init_seconds, None
            self._invocations.add(began_seconds, seconds, failed=failed, init_seconds=init_seconds)


class Reporting:
    """A thread that tells CloudWatch every 15 seconds.

    Raises:
        TopicUnavailable: no client of CloudWatch can be made.
    """

    def __init__(self, aws: Aws, function_name: str, invocations: Invocations) -> None:
        self._cloudwatch = aws.client("cloudwatch")
        self._name = function_name
        self._invocations = invocations
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lambda-metrics", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Tell what is left, and end."""
        self._stopping.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_SECONDS):
            self._tell()
        self._tell()

    def _tell(self) -> None:
        taken = self._invocations.take()
        inits = {begin: Minute(init_seconds=minute.init_seconds) for begin, minute in taken.items()}
        untold = taken
        try:
            self._put("AWS/Lambda", "FunctionName", [datum for each in taken.items() for datum in _of_lambda(*each)])
            untold = inits
            self._put(
                "LambdaInsights", "function_name", [datum for each in inits.items() for datum in _of_insights(*each)]
            )
        except TopicUnavailable as error:
            _logger.warning("CloudWatch could not be told of the last invocations: %s", error)
            self._invocations.put_back(untold)

    def _put(self, namespace: str, dimension: str, data: Sequence[Mapping[str, Any]]) -> None:
        named = [{**datum, "Dimensions": [{"Name": dimension, "Value": self._name}]} for datum in data]
        if named:
            asked(lambda: self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=named))


def _of_lambda(begin: int, minute: Minute) -> Sequence[Mapping[str, Any]]:
    if not minute.seconds:
        return ()
    return (
        _sum(begin, "Invocations", len(minute.seconds)),
        _sum(begin, "Errors", minute.errors),
        _sum(begin, "Throttles", 0),  # there is one process, and nobody limits it
        _set(begin, "Duration", "Milliseconds", [1000 * seconds for seconds in minute.seconds]),
        {"MetricName": "ConcurrentExecutions", "Timestamp": _moment(begin), "Value": 1.0, "Unit": "Count"},
    )


def _of_insights(begin: int, minute: Minute) -> Sequence[Mapping[str, Any]]:
    if not minute.init_seconds:
        return ()
    return (_set(begin, "init_duration", "Milliseconds", [1000 * seconds for seconds in minute.init_seconds]),)


def _sum(begin: int, name: str, count: int) -> Mapping[str, Any]:
    return {"MetricName": name, "Timestamp": _moment(begin), "Value": float(count), "Unit": "Count"}


def _set(begin: int, name: str, unit: str, values: Sequence[float]) -> Mapping[str, Any]:
    statistics = {
        "SampleCount": float(len(values)),
        "Sum": sum(values),
        "Minimum": min(values),
        "Maximum": max(values),
    }
    return {"MetricName": name, "Timestamp": _moment(begin), "StatisticValues": statistics, "Unit": unit}


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
