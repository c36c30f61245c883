"""Histogram bounds: from the file that `sereno compile` writes for a service, else the usual ones.

A wrong or missing file costs precision, not the service: it is a warning in the log, never an exception.
"""

import itertools
import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

DURATION_METRIC = "http_server_request_duration_seconds"
BUCKETS_FILE_VARIABLE = "SERENO_BUCKETS_FILE"

# The advice of OpenTelemetry's semantic conventions for http.server.request.duration, in seconds.
DEFAULT_BUCKETS: tuple[float, ...] = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

_MOST_BUCKETS = 100

_logger = logging.getLogger("sereno_telemetry")


class _MalformedBuckets(Exception):  # noqa: N818 - reads as what happened
    """The bucket file can't be used; the message says why."""


def buckets_file(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where the bounds of this process are to be read: as given, else from the environment, else nowhere."""
    if given is not None:
        return given
    named = environment.get(BUCKETS_FILE_VARIABLE, "").strip()
    return Path(named) if named else None


def duration_buckets(path: Path | None, *, service: str) -> tuple[float, ...]:
    """Upper bounds of the request histogram in seconds, ascending, without +Inf.

    Without a path these are `DEFAULT_BUCKETS`; with a path that can't be used as well, and a warning says why.
    """
    if path is None:
        return DEFAULT_BUCKETS
    try:
        return _read(path, service=service)
    except (_MalformedBuckets, OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        _logger.warning(
            "bucket file %s can't be used (%s): requests are measured with the default buckets, so latency objectives "
            "off their bounds can't be counted; write it with `sereno compile`",
            path,
            reason,
        )
        return DEFAULT_BUCKETS


def _read(path: Path, *, service: str) -> tuple[float, ...]:
    document: Any = orjson.loads(path.read_bytes())
    if not isinstance(document, dict) or not isinstance(document.get("metrics"), dict):
        raise _MalformedBuckets('it is not {"service": …, "metrics": {…}}')
    if document.get("service") != service:
        raise _MalformedBuckets(f"it is for service {document.get('service')!r}, this is {service!r}")
    bounds = document["metrics"].get(DURATION_METRIC)
    if not isinstance(bounds, list) or not bounds:
        raise _MalformedBuckets(f"it has no list of bounds for {DURATION_METRIC}")
    if len(bounds) > _MOST_BUCKETS:
        raise _MalformedBuckets(f"{len(bounds)} bounds are too many series, {_MOST_BUCKETS} is the most")
    numbers = tuple(_bound(value) for value in bounds)
    if any(upper <= lower for lower, upper in itertools.pairwise(numbers)):
        raise _MalformedBuckets("its bounds do not ascend")
    return numbers


def _bound(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        raise _MalformedBuckets(f"bound {value!r} is not a positive number of seconds")
    return float(value)
