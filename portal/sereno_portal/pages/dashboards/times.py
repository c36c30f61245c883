"""The time that a dashboard shows: links of five lengths, or what the address says as Grafana writes it; pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sereno_backends.grafana import Panel, TimeShown, Value, built_in_values
from sereno_slo.duration import Duration

from sereno_portal.gateway import Span, span_of
from sereno_portal.gateway.span import LONGEST

CHOICES = ("1h", "6h", "1d", "7d", "30d")
_LENGTH = re.compile(r"(?:now-)?(\d{1,9})([smhdwMy])(?:/[smhdwMy])?", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 2_592_000, "y": 31_536_000}
_USUAL = "6h"
_EARLIEST, _LATEST = 2000, 9000
_HEATMAP_COLUMNS = 120


class TimeInvalid(Exception):  # noqa: N818 - reads as what happened
    """The address asks for a time that can't be understood."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of the past."""

    length: str
    """As the address says it: `6h`."""
    span: Span
    until: datetime | None
    """None: up to now."""

    def of(self, panel: Panel) -> Span:
        """The span of one panel: it may have a length of its own, and a least step."""
        span = self.span
        if understood(panel.time_from):
            span = span_of(_length(panel.time_from), self.span.end, until=self.span.end)
        steps = [span.step, _least_step(panel.interval)]
        if panel.type == "heatmap":
            steps.append((span.end - span.start) / _HEATMAP_COLUMNS)
        return _in_steps(span, max(steps))


def understood(length: str) -> str:
    """The length that a dashboard's file says; empty where that is none, such as `now/d`."""
    return length if _seconds(length) else ""


def shown(start: str, now: datetime, end: str = "") -> Shown:
    """What the address asks for, as Grafana's addresses say it, too; six hours up to now where it says nothing.

    Args:
        start: a length, or a moment where `end` is one.
        now: aware, UTC.
        end: a moment, in ISO 8601 or as milliseconds since 1970; `now` or nothing is now.

    Raises:
        TimeInvalid: that is no time, or older than any monitoring.
    """
    until = None if end in ("", "now") else _moment(end)
    if start.isdecimal():
        wanted = (until or now) - _moment(start)
        if wanted <= timedelta():
            raise TimeInvalid(f"{start} isn't before the end of what is asked for")
    else:
        wanted = _length(start or _USUAL)
    wanted = min(wanted, LONGEST)
    said = next((choice for choice in CHOICES if _length(choice) == wanted), f"{wanted // timedelta(seconds=1)}s")
    return Shown(said, span_of(wanted, now, until=until), until)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdecimal() else datetime.fromisoformat(text)
    except (OverflowError, OSError, ValueError):
        raise TimeInvalid(f"{text[:40]!r} is no moment: write it like 2026-01-31T12:00:00Z") from None
    if found.year < _EARLIEST or found.year > _LATEST:
        raise TimeInvalid(f"nothing is known of the year {found.year}")
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def values_of(span: Span) -> dict[str, Value]:
    """Grafana's own variables of the time shown."""
    return built_in_values(TimeShown(span.start, span.end, span.step))


def _length(text: str) -> timedelta:
    if not understood(text):
        raise TimeInvalid(f"{text[:40]!r} is no length of time: write 6h, 7d or the like")
    return timedelta(seconds=_seconds(text))


def _seconds(text: str) -> int:
    match = _LENGTH.fullmatch(text)
    # No span is longer: cut here, since what is said of it has to be read again.
    return min(int(match[1]) * _UNITS[match[2]], int(LONGEST.total_seconds())) if match else 0


def _least_step(interval: str) -> timedelta:
    try:
        return timedelta(milliseconds=Duration.parse(interval.removeprefix(">")).milliseconds)
    except ValueError:  # none is written, or a variable
        return timedelta()


def _in_steps(span: Span, step: timedelta) -> Span:
    if step <= span.step:
        return span
    whole = -(-step // timedelta(seconds=1))
    start, end = (int(each.timestamp()) // whole * whole for each in (span.start, span.end))
    return Span(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC), timedelta(seconds=whole))
