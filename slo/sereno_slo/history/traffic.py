"""An SLO's events of the last days, asked of a server: what the ledger counted, else what raw series tell."""

from datetime import UTC, datetime, timedelta
from typing import assert_never

from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.history.reading import Reader
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Probe,
    ServiceLevelObjective,
    Threshold,
    TimeSlices,
)
from sereno_slo.plan import series
from sereno_slo.plan.series import Ledger, summed
from sereno_slo.promql import Aggregation, Call, Expr, Selector
from sereno_slo.validate.traffic import HOURS_OF_A_DAY, Sighting, Traffic, traffic_of

DAYS = 7
"""So much of the past is looked at: every weekday once."""

_HOUR = Duration.parse("1h")
_SECONDS_OF_AN_HOUR = 3600
_MINUTES_OF_AN_HOUR = _HOUR / MINUTE
# A roll-up holds what happened from six minutes to one minute before it.
_LAG_OF_ROLL_UPS = timedelta(minutes=3, seconds=30)

Hours = dict[int, float]
"""Events by hours since 1970."""


def sighting_of(reader: Reader, slo: ServiceLevelObjective, now: datetime) -> Sighting:
    """What the server saw of the SLO's events in the last days; every question may raise a `PrometheusError`."""
    recorded = _hours(reader, _recorded(slo), now, days_at_once=DAYS, lag=_LAG_OF_ROLL_UPS)
    # A ledger that hasn't seen a whole day yet, or nothing at all, may know less than the raw series.
    if len(recorded) >= HOURS_OF_A_DAY and any(recorded.values()):
        raw: Hours = {}
    else:
        # Thousands of series may be read: so that no answer takes long.
        raw = _hours(reader, _raw(slo.indicator), now, days_at_once=1)
    is_from_ledger = any(recorded.values()) and len(recorded) >= len(raw)
    seen = recorded if is_from_ledger else raw or _this_hour(reader, _raw(slo.indicator), now)
    if not seen:
        return Sighting(None, matches=False)
    usual = _usual(reader, slo, now) if is_from_ledger else None
    last = min(now, datetime.fromtimestamp((max(seen) + 1) * _SECONDS_OF_AN_HOUR, UTC))
    return Sighting(
        traffic_of(seen, usual) if not isinstance(slo.indicator, TimeSlices) else _of_slices(seen, usual),
        is_from_ledger,
        bounds_seconds=_bounds(reader, slo.indicator, last) if isinstance(slo.indicator, Latency) else None,
    )


def _of_slices(seen: Hours, usual: float | None) -> Traffic | None:
    """Every minute is an event, also where the edges of hours cut one off."""
    by_hour = (_MINUTES_OF_AN_HOUR,) * HOURS_OF_A_DAY
    return Traffic(by_hour, usual or FIVE_MINUTES / MINUTE, len(seen)) if any(seen.values()) else None


def _hours(reader: Reader, expr: Expr, now: datetime, days_at_once: int, lag: timedelta = timedelta()) -> Hours:
    """The expression's value for each whole hour (UTC) of the last days, looked up so long after the hour's end."""
    end = (now - lag).replace(minute=0, second=0, microsecond=0)
    hour = timedelta(hours=1)
    hours: Hours = {}
    for days_ago in range(DAYS, 0, -days_at_once):
        begin = end - timedelta(days=days_ago)
        first, last = begin + hour + lag, begin + timedelta(days=days_at_once) + lag
        for answer in reader.stepped(expr, first, last, hour):
            for point in answer.points:
                if point.is_finite:
                    hours[int((point.timestamp - lag).timestamp()) // _SECONDS_OF_AN_HOUR - 1] = point.value
    return hours


def _this_hour(reader: Reader, expr: Expr, now: datetime) -> Hours:
    """What is so new that it hasn't lived through a whole hour yet."""
    values = [sample.value for sample in reader.instant(expr, now) if sample.is_finite]
    return {int(now.timestamp()) // _SECONDS_OF_AN_HOUR: values[0]} if values else {}


def _recorded(slo: ServiceLevelObjective) -> Expr:
    """Roll-ups, which `sereno backfill` writes, too; one of those that a pair of servers has."""
    return Aggregation("max", summed(Ledger.of(slo).series(series.EVENTS_ROLL_UP), _HOUR))


def _raw(indicator: Indicator) -> Expr:
    """An estimate is enough here: `increase` misses a series' first value and extrapolates."""
    within = indicator.total.over(_HOUR)
    match indicator:
        case BadEventsRatio() | GoodEventsRatio() | Latency():
            return Aggregation("sum", Call("increase", (within,)))
        case NativeLatency():
            return Aggregation("sum", Call("histogram_count", (Call("increase", (within,)),)))
        case Threshold() | Probe():
            # A minute is one event.
            return _MINUTES_OF_AN_HOUR * Aggregation("max", _seen_within_an_hour(indicator.total))
        case _:
            assert_never(indicator)


def _usual(reader: Reader, slo: ServiceLevelObjective, now: datetime) -> float | None:
    """`A` of docs/ledger.md as it is recorded: what alerts compare with."""
    samples = reader.instant(Aggregation("max", Ledger.of(slo).expected_events()), now)
    return next((sample.value for sample in samples if sample.is_finite and sample.value > 0), None)


def _bounds(reader: Reader, latency: Latency, at: datetime) -> tuple[float, ...] | None:
    """None where the server has the ledger only, and no raw series to look at."""
    buckets = _seen_within_an_hour(Selector(f"{latency.metric}_bucket", latency.total.matchers))
    samples = reader.instant(Aggregation("count", buckets, ("le",)), at)
    if not samples and not reader.instant(Aggregation("count", _seen_within_an_hour(latency.total)), at):
        return None
    return tuple(sorted(float(sample.labels["le"]) for sample in samples if "le" in sample.labels))


def _seen_within_an_hour(selector: Selector) -> Expr:
    return Call("present_over_time", (selector.over(_HOUR),))
