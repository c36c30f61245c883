"""Which minutes of which series one call asks for, and what a gauge makes of them: pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sereno_exporters.aws.snapshot import Series
from sereno_exporters.aws.tally import MINUTE, MOST_SECONDS_AT_ONCE, Span, minute_of

GAUGE_SECONDS = 900
"""An older datapoint is no gauge any more."""


@dataclass(frozen=True, slots=True)
class Read:
    """One call of GetMetricData, apart from further pages."""

    span: Span
    series: tuple[Series, ...]


def reads_of(begin: Mapping[Series, int], now: float, most_series: int) -> tuple[Read, ...]:
    """All series in as few calls as can be; those that lag far behind get calls and minutes of their own.

    Args:
        begin: the first minute that a series needs.
        now: minutes that have ended by then are read.
        most_series: that one call may ask for.
    """
    end = minute_of(now)
    by_span: dict[Span, list[Series]] = {}
    recent = {series: start for series, start in begin.items() if start >= end - MOST_SECONDS_AT_ONCE}
    if recent:
        by_span[Span(min(recent.values()), end)] = list(recent)
    for series, start in begin.items():
        if series not in recent:
            by_span.setdefault(Span(start, start + MOST_SECONDS_AT_ONCE), []).append(series)
    return tuple(
        Read(span, tuple(chunk))
        for span, wanted in by_span.items()
        if span.start < span.end
        for chunk in _chunks(wanted, most_series)
    )


def first_minute_of_gauges(now: float) -> int:
    """From where on a gauge looks for its newest datapoint."""
    return minute_of(now) - GAUGE_SECONDS


def gauge_of(minutes: Mapping[int, float], now: float) -> tuple[float | None, int | None]:
    """The newest minute's value, and that minute."""
    recent = [minute for minute in minutes if minute >= first_minute_of_gauges(now)]
    return (minutes[max(recent)], max(recent)) if recent else (None, None)


def age_of(minute: int | None, now: float) -> float | None:
    """Seconds since a minute ended."""
    return max(0.0, now - minute - MINUTE) if minute is not None else None


def _chunks(series: Sequence[Series], size: int) -> Iterator[Sequence[Series]]:
    for index in range(0, len(series), size):
        yield series[index : index + size]
