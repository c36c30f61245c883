"""Reads how much is used: by HTTP, from Redis, from Prometheus, from a file; the only I/O of the exporter `quotas`."""

import math
from collections.abc import Callable
from typing import Any, assert_never

import orjson

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.http import HttpTarget
from sereno_exporters.frame.model import Target
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.quotas.periods import Span, span_of
from sereno_exporters.quotas.settings import (
    FileReading,
    HttpReading,
    PrometheusReading,
    Quota,
    QuotasSettings,
    Reading,
    RedisReading,
)
from sereno_exporters.quotas.snapshot import Usage

_MOST_FILE_BYTES = 1024 * 1024
_LEAST_PERIOD_SECONDS = 60
_SHOWN = 60


class QuotaReader:
    """One quota of a target."""

    def __init__(self, target: Target[QuotasSettings], quota: Quota, now: Callable[[], float]) -> None:
        self._target = target
        self._quota = quota
        self._now = now
        self._way = _way_of(quota.read)
        over_http = self._way if isinstance(self._way, HttpReading | PrometheusReading) else None
        self._http = HttpTarget(target, over_http) if over_http is not None else None

    def usage(self, deadline: Deadline) -> Usage:
        """How much is used now.

        Raises:
            FetchError: it can't be read, or is no number of 0 or more.
        """
        now = self._now()
        span = span_of(self._quota.period, now) if self._quota.period else None
        used = self._read(deadline, now, span) * self._quota.scale
        if not math.isfinite(used) or used < 0:
            raise FetchError(Reason.GARBAGE, f"{self._quota.name}: {used:g} can't be used of a quota")
        return Usage(self._quota, used, now, span)

    def close(self) -> None:
        """Hang up."""
        if self._http is not None:
            self._http.close()

    def _read(self, deadline: Deadline, now: float, span: Span | None) -> float:
        match self._way:
            case HttpReading() as way:
                return _number_in(self._asked(way.path, deadline), way.field, f"{way.url}{way.path}")
            case PrometheusReading() as way:
                return self._queried(way, deadline, now, span)
            case RedisReading() as way:
                return _from_redis(self._target, way, deadline)
            case FileReading() as way:
                return _from_file(self._target, way, now)
            case _:
                assert_never(self._way)

    def _queried(self, way: PrometheusReading, deadline: Deadline, now: float, span: Span | None) -> float:
        elapsed_seconds = max(_LEAST_PERIOD_SECONDS, int(now - span.start)) if span else 0
        query = way.query.replace("$period", f"{elapsed_seconds}s")
        answer = self._asked("/api/v1/query", deadline, query=query)
        match answer:
            case {"data": {"resultType": "scalar", "result": [_, value]}}:
                return _as_number(value, way.query)
            case {"data": {"resultType": "vector", "result": [{"value": [_, value]}]}}:
                return _as_number(value, way.query)
            case {"data": {"resultType": "vector", "result": list(found)}} if len(found) != 1:
                message = f"the query of {self._quota.name} has {len(found)} values, not one: sum them"
                raise FetchError(Reason.CONFIGURATION, message)
            case {"data": {"resultType": "matrix" | "string" as kind}}:
                message = f"the query of {self._quota.name} is a {kind}: ask for one number"
                raise FetchError(Reason.CONFIGURATION, message)
            case _:
                raise FetchError(Reason.GARBAGE, f"{way.url} answered no result: is this Prometheus?")

    def _asked(self, path: str, deadline: Deadline, **parameters: str) -> Any:
        assert self._http is not None  # noqa: S101 - made for these two ways
        return self._http.get_json(path, deadline, **parameters)


def _way_of(read: Reading) -> HttpReading | PrometheusReading | RedisReading | FileReading:
    (way,) = [each for each in (read.http, read.prometheus, read.redis, read.file) if each is not None]
    return way


def _from_redis(target: Target[QuotasSettings], way: RedisReading, deadline: Deadline) -> float:
    try:
        from sereno_exporters.frame.redis_connection import connected  # noqa: PLC0415 - redis comes with it
    except ImportError as error:
        missing = f"{error.name or 'redis'} is not installed: pip install 'sereno[redis]'"
        raise FetchError(Reason.CONFIGURATION, missing) from error
    with connected(target, way, deadline) as asking:
        text = asking.one("INFO").decode(errors="replace")
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    if way.field not in fields:
        raise FetchError(Reason.CONFIGURATION, f"Redis' INFO has no field {way.field}")
    return _as_number(fields[way.field], way.field)


def _from_file(target: Target[QuotasSettings], way: FileReading, now: float) -> float:
    path = target.file(way.file)
    if path.exists() and not path.is_file():  # to open a pipe waits for who writes into it, perhaps for ever
        raise FetchError(Reason.CONFIGURATION, f"{path} is no file")
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_FILE_BYTES + 1)
        age_seconds = now - path.stat().st_mtime
    except OSError as error:
        raise FetchError(Reason.CONFIGURATION, f"the file {path} can't be read: {error.strerror}") from error
    if len(content) > _MOST_FILE_BYTES:
        raise FetchError(Reason.TOO_LARGE, f"the file {path} has more than {_MOST_FILE_BYTES:,} bytes")
    if age_seconds > way.max_age:
        raise FetchError(
            Reason.ERROR,
            f"the file {path} was written {age_seconds:.0f} s ago: look at what writes it, or raise max_age",
        )
    if way.field is None:
        return _as_number(content.decode(errors="replace").strip(), str(path))
    try:
        return _number_in(orjson.loads(content), way.field, str(path))
    except orjson.JSONDecodeError as error:
        raise FetchError(Reason.GARBAGE, f"the file {path} is no JSON") from error


def _number_in(found: Any, field: str, place: str) -> float:
    for name in field.split("."):
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            raise FetchError(Reason.GARBAGE, f"{place} has no {field} in its answer")
    return _as_number(found, f"{field} of {place}")


def _as_number(found: Any, place: str) -> float:
    """A number, or a text that is one, as some APIs write large ones."""
    if isinstance(found, int | float | str) and not isinstance(found, bool):
        try:
            return float(found)
        except ValueError:
            pass
    raise FetchError(Reason.GARBAGE, f"{place} is {str(found)[:_SHOWN]!r}, no number")
