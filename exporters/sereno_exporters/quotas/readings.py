"""Where use is read: the only I/O of this exporter."""

import math
import time
from collections.abc import Callable
from typing import Any, assert_never

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.http import HttpTarget
from sereno_exporters.frame.model import Target
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.quotas.settings import FileUsage, HttpUsage, PrometheusUsage, RedisUsage, Usage

Read = Callable[[Deadline], float]
Close = Callable[[], object]

_LONGEST_FILE = 1_000


def reader(target: Target[Any], usage: Usage, clock: Callable[[], float] = time.time) -> tuple[Read, Close]:
    """How use is read, and how to hang up. Reading raises `FetchError` where there is no number."""
    place = usage.http or usage.prometheus or usage.redis or usage.file
    match place:
        case HttpUsage():
            http = HttpTarget(target, place)
            return lambda deadline: _by_http(http, place, deadline), http.close
        case PrometheusUsage():
            http = HttpTarget(target, place)
            return lambda deadline: _by_prometheus(http, place, deadline), http.close
        case RedisUsage():
            return lambda deadline: _by_redis(target, place, deadline), lambda: None
        case FileUsage():
            return lambda _: _by_file(target, place, clock), lambda: None
        case None:
            raise AssertionError("the grammar asks for one")
        case _:
            assert_never(place)


def _by_http(http: HttpTarget, usage: HttpUsage, deadline: Deadline) -> float:
    value = http.get_json(usage.path, deadline)
    for depth, key in enumerate(keys := usage.field.split(".")):
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            there = ", ".join(map(str, list(value)[:8])) if isinstance(value, dict) else f"a {type(value).__name__}"
            where = ".".join(keys[:depth]) or "the answer"
            raise FetchError(Reason.GARBAGE, f"{usage.url}{usage.path}: {where} has no {key}; there is: {there}")
    return _number(value, f"{usage.url}{usage.path}: {usage.field}")


def _by_prometheus(http: HttpTarget, usage: PrometheusUsage, deadline: Deadline) -> float:
    answer = http.get_json("/api/v1/query", deadline, query=usage.query)
    match answer:
        case {"status": "success", "data": {"resultType": "vector", "result": [{"value": [_, str(text)]}]}}:
            return _number(text, usage.query)
        case {"status": "success", "data": {"resultType": "scalar", "result": [_, str(text)]}}:
            return _number(text, usage.query)
        case {"status": "success", "data": {"resultType": "vector", "result": list(series)}}:
            cure = "sum() makes one of them" if series else "is what it selects there?"
            raise FetchError(Reason.GARBAGE, f"{usage.query} has {len(series)} series, one is wanted: {cure}")
        case _:
            raise FetchError(Reason.GARBAGE, f"{usage.url} answers as no Prometheus does")


def _by_redis(target: Target[Any], usage: RedisUsage, deadline: Deadline) -> float:
    import redis  # noqa: PLC0415 - only where a quota is read from one
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    seconds = deadline.seconds_left()
    place = f"redis {usage.host}:{usage.port}"
    tls: dict[str, Any] = {"ssl": True} if usage.tls else {}
    if usage.tls and usage.ca_file is not None:
        tls["ssl_ca_certs"] = str(target.file(usage.ca_file))
    client = redis.Redis(
        host=usage.host,
        port=usage.port,
        username=target.secret(usage.username_file) if usage.username_file else None,
        password=target.secret(usage.password_file) if usage.password_file else None,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),  # by itself it tries wrong passwords again, too, for longer than anybody waits
        **tls,
    )
    try:
        found: Any = client.info()
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise FetchError(Reason.REFUSED, f"{place} refuses: {error}") from error
    except redis.TimeoutError as error:
        raise FetchError(Reason.TIMEOUT, f"{place} does not answer in time") from error
    except (redis.ConnectionError, OSError) as error:
        raise FetchError(Reason.UNREACHABLE, f"{place} can't be reached: {error}") from error
    except redis.RedisError as error:
        raise FetchError(Reason.ERROR, f"{place}: {error}") from error
    finally:
        client.close()
    if usage.info not in found:
        raise FetchError(Reason.CONFIGURATION, f"{place}: INFO has no field {usage.info}")
    return _number(found[usage.info], f"{place}: {usage.info}")


def _by_file(target: Target[Any], usage: FileUsage, clock: Callable[[], float]) -> float:
    path = target.file(usage.path)
    try:
        age_seconds = clock() - path.stat().st_mtime
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST_FILE)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise FetchError(Reason.CONFIGURATION, f"the file {path} can't be read: {reason}") from error
    if age_seconds > usage.max_age:
        raise FetchError(
            Reason.GARBAGE, f"the file {path} is {age_seconds:.0f} s old, more than max_age: does its writer still run?"
        )
    return _number(text.strip(), str(path))


def _number(value: Any, where: str) -> float:
    try:
        number = float("nan") if isinstance(value, bool) or value is None else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not math.isfinite(number) or number < 0:
        raise FetchError(Reason.GARBAGE, f"{where} is {str(value)[:60]!r}, which is no amount that was used")
    return number
