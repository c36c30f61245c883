"""Variables filled in as Grafana's Prometheus data source does it; pure.

Sources: https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/ for the forms, and
https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/ for `$__rate_interval`.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from urllib.parse import quote

Value: TypeAlias = str | tuple[str, ...]
"""A text stands as it is; a tuple is what is chosen of a variable with several values, escaped for a pattern."""

_VARIABLE = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.[^:}]+)?(?::([^}]+))?\}")
_MILLISECONDS = re.compile(r"[0-9]{1,14}")
"""As moments of this millennium have them."""
_SPECIAL_IN_PATTERNS = re.compile(r"[$^*{}\[\]'+?.()|]")
_SPECIAL_IN_REGEX = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_SPECIAL_IN_LUCENE = re.compile(r'[+\-=&|><!(){}\[\]^"~*?:\\/\s]')


def filled_in(text: str, values: Mapping[str, Value]) -> str:
    """`$name`, `${name}`, `${name:format}` and `[[name]]` replaced; what is no variable stays (`$1` of label_replace).

    >>> filled_in('up{job="$job", instance=~"$instance"}', {"job": "api", "instance": ("a", "b")})
    'up{job="api", instance=~"(a|b)"}'
    """

    def replaced(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[4]
        if name not in values:
            return match[0]
        return _formatted(values[name], match[3] or match[5] or "")

    return _VARIABLE.sub(replaced, text)


def _formatted(value: Value, form: str) -> str:
    if not form:
        return value if isinstance(value, str) else _alternatives(value, _in_pattern)
    listed = (value,) if isinstance(value, str) else value
    name, _, argument = form.partition(":")
    if name == "date":
        return _date(listed[0], argument)
    return _FORMATS.get(name, _glob)(listed)


def _alternatives(values: tuple[str, ...], escaped: Callable[[str], str]) -> str:
    texts = [escaped(each) for each in values]
    return texts[0] if len(texts) == 1 else f"({'|'.join(texts)})"


def _in_pattern(value: str) -> str:
    r"""Escaped twice, for the pattern and for the PromQL string around it: `.` becomes `\\.`."""
    return _SPECIAL_IN_PATTERNS.sub(r"\\\\\g<0>", value.replace("\\", "\\" * 4))


def _glob(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else "{" + ",".join(values) + "}"


def _lucene(values: tuple[str, ...]) -> str:
    texts = [_SPECIAL_IN_LUCENE.sub(r"\\\g<0>", each) for each in values]
    quoted = [f'"{text}"' for text in texts]
    return texts[0] if len(texts) == 1 else f"({' OR '.join(quoted)})"


def _date(value: str, form: str) -> str:
    if not _MILLISECONDS.fullmatch(value):
        return value
    match form:
        case "" | "iso":
            return _iso(value)
        case "seconds":
            return str(int(value) // 1000)
        case _:
            return value


def _iso(milliseconds: str) -> str:
    moment = datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(milliseconds=int(milliseconds))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_FORMATS: Mapping[str, Callable[[tuple[str, ...]], str]] = {
    "regex": lambda values: _alternatives(values, lambda each: _SPECIAL_IN_REGEX.sub(r"\\\g<0>", each)),
    "pipe": "|".join,
    "csv": ",".join,
    "raw": ",".join,
    "text": " + ".join,
    "json": lambda values: json.dumps(values[0] if len(values) == 1 else values, separators=(",", ":")),
    "singlequote": lambda values: ",".join("'" + each.replace("'", "\\'") + "'" for each in values),
    "doublequote": lambda values: ",".join('"' + each.replace('"', '\\"') + '"' for each in values),
    "percentencode": lambda values: quote(_glob(values), safe=""),
    "lucene": _lucene,
    "glob": _glob,
}


@dataclass(frozen=True, slots=True)
class TimeShown:
    """What a graph shows, and how finely."""

    start: datetime
    end: datetime
    interval: timedelta
    """From one point to the next."""
    scrape_interval: timedelta = timedelta(seconds=15)
    """The data source's `timeInterval`."""


def built_in_values(shown: TimeShown) -> dict[str, Value]:
    """Grafana's own variables: `$__interval`, `$__rate_interval`, `$__range`, `$__from`, … of what is shown."""
    span = shown.end - shown.start
    span_seconds = math.ceil(span.total_seconds())
    rate_interval = max(shown.interval + shown.scrape_interval, 4 * shown.scrape_interval)
    return {
        "__interval": prometheus_duration(shown.interval),
        "__interval_ms": str(_milliseconds(shown.interval)),
        "__rate_interval": prometheus_duration(rate_interval),
        "__rate_interval_ms": str(_milliseconds(rate_interval)),
        "__range": f"{span_seconds}s",
        "__range_s": str(span_seconds),
        "__range_ms": str(_milliseconds(span)),
        "__from": str(_milliseconds(shown.start - _EPOCH)),
        "__to": str(_milliseconds(shown.end - _EPOCH)),
    }


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def prometheus_duration(span: timedelta) -> str:
    """As Prometheus writes it.

    >>> prometheus_duration(timedelta(seconds=75))
    '1m15s'
    """
    left, text = _milliseconds(span), ""
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
