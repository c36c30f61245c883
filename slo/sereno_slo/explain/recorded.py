"""An account as a server has recorded it: roll-ups, minutes and marks of one ledger in one window."""

from collections.abc import Mapping
from datetime import datetime

from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.explain.account import (
    FRESH_MS,
    LAG_MS,
    SLOT_MS,
    Account,
    NotRecorded,
    Points,
    RollUps,
    SeveralLedgers,
    counted_from,
    merged,
    milliseconds,
    moment,
    name_of,
)
from sereno_slo.explain.counted import Counting
from sereno_slo.history import Reader
from sereno_slo.model import ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.series import MISSED_LABELS, SLO_LABELS, Ledger
from sereno_slo.promql import Aggregation, Call, Expr, Selector

# Roll-ups of ten days are 2,880 samples of a series: an answer of 100 kB.
_PIECE_MS = 10 * 86_400_000

_MOST_NAMED = 5


def read_account(
    reader: Reader, slo: ServiceLevelObjective, ledger: Ledger, settings: Settings, at: datetime
) -> Account:
    """The account at a moment; every question may raise a `PrometheusError`.

    Raises:
        NotRecorded: there is nothing in the window, or no bad events are counted.
        SeveralLedgers: there is more than one such ledger.
    """
    asked_ms, counting = milliseconds(at), Counting.of(slo, settings)
    names = (ledger, *ledger.formerly(slo))
    evaluated_ms = _last_evaluation(reader, slo, ledger, at)
    start_ms = counted_from(slo, evaluated_ms, counting)
    by_name = tuple(_roll_ups(reader, name, start_ms, evaluated_ms) for name in names)
    if not any(each.bad_events for each in by_name) and any(each.events for each in by_name):
        raise NotRecorded(
            f"{reader.client.name} counts events of {name_of(slo, ledger)}, but no bad ones: does a series of the "
            "indicator lack a label or a bucket? (sereno validate --prometheus)"
        )
    marks = merged(_points(reader, name.whole.series(series.ROLL_UP_MARK), start_ms, evaluated_ms) for name in names)
    covered = merged(
        _points(reader, name.whole.series(series.COVERAGE_ROLL_UP), start_ms, evaluated_ms) for name in names
    )
    excluded = {
        at_ms: evaluations * (FIVE_MINUTES / MINUTE)
        for at_ms, evaluations in marks.items()
        if counting.left_out_by(at_ms)
    }
    first_ms = min((at_ms for each in by_name for at_ms in each.event_entries), default=None)
    if first_ms is None:
        first_ms = min((at_ms for each in by_name for at_ms in each.events), default=evaluated_ms) - SLOT_MS
    is_older = any(_is_older(reader, name, slo.longest_window, start_ms) for name in names)
    usual = ledger.series(series.EXPECTED_EVENTS)
    return Account(
        slo,
        ledger,
        counting,
        asked_ms,
        evaluated_ms,
        None if is_older else first_ms - MINUTE.milliseconds,
        by_name,
        _counted(merged(each.events for each in by_name), counting),
        _counted(merged(each.bad_events for each in by_name), counting),
        merged((_counted(covered, counting), excluded)),
        tuple(sorted(marks)),
        0.0 if slo.calendar is None else number(reader, usual, moment(evaluated_ms)) or 0.0,
    )


def _last_evaluation(reader: Reader, slo: ServiceLevelObjective, ledger: Ledger, at: datetime) -> int:
    """The last one before a moment: it may lie long before it, but not a whole window."""
    asked_ms = milliseconds(at)
    for early_ms in (asked_ms - FRESH_MS, asked_ms - slo.longest_window.milliseconds):
        marks = _points(reader, ledger.whole.series(series.ROLL_UP_MARK), early_ms, asked_ms)
        events = _points(reader, ledger.series(series.EVENTS_ROLL_UP), early_ms, asked_ms)
        if events:
            return max((*marks, *events))
    raise NotRecorded(_nothing(reader, slo, ledger, at, is_evaluated=bool(marks)))


def _roll_ups(reader: Reader, ledger: Ledger, start_ms: int, end_ms: int) -> RollUps:
    events, bad_events = (
        _points(reader, ledger.series(name), start_ms, end_ms)
        for name in (series.EVENTS_ROLL_UP, series.BAD_EVENTS_ROLL_UP)
    )
    event_entries, bad_event_entries = (
        _points(reader, ledger.series(name), start_ms - SLOT_MS - LAG_MS, end_ms - LAG_MS)
        for name in (series.EVENTS_ENTRY, series.BAD_EVENTS_ENTRY)
    )
    return RollUps(events, bad_events, event_entries, bad_event_entries)


def _counted(points: Points, counting: Counting) -> Points:
    return {at_ms: value for at_ms, value in points.items() if not counting.left_out_by(at_ms)}


def number(reader: Reader, expr: Expr, at: datetime) -> float | None:
    """The one finite value that the expression has at a moment, or None."""
    samples = reader.instant(expr, at)
    return samples[0].value if len(samples) == 1 and samples[0].is_finite else None


def _points(reader: Reader, selector: Selector, start_ms: int, end_ms: int) -> Points:
    """The samples after `start_ms` up to `end_ms`, of the only such series."""
    found: dict[tuple[tuple[str, str], ...], Points] = {}
    for begin_ms in range(start_ms, end_ms, _PIECE_MS):
        stop_ms = min(begin_ms + _PIECE_MS, end_ms)
        window = Duration(stop_ms - begin_ms)
        for one in reader.client.stored(str(selector.over(window)), moment(stop_ms)):
            points = found.setdefault(_labels(one.labels), {})
            for point in one.points:
                at_ms = round(point.timestamp.timestamp() * 1000)
                if start_ms < at_ms and point.is_finite:
                    points[at_ms] = point.value
        reader.asked()
    if len(found) > 1:
        first, second = sorted(found)[:2]
        differing = ", ".join(sorted(dict(set(second) ^ set(first))))
        raise SeveralLedgers(
            f"{reader.client.name} has {selector} {len(found)} times; they differ in {differing}: ask "
            "the very Prometheus that evaluates the rules, not one that gathers several"
        )
    return next(iter(found.values()), {})


def _labels(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Without the name, and without what tells whether something was missed."""
    own = ("__name__", *(label for label in MISSED_LABELS if label not in SLO_LABELS))
    return tuple(sorted((label, value) for label, value in labels.items() if label not in own))


def _is_older(reader: Reader, ledger: Ledger, window: Duration, start_ms: int) -> bool:
    """Whether anything was rolled up in the window before this one, too."""
    before = Call("present_over_time", (ledger.series(series.EVENTS_ROLL_UP).over(window),))
    return bool(reader.instant(before, moment(start_ms)))


def _nothing(reader: Reader, slo: ServiceLevelObjective, ledger: Ledger, at: datetime, *, is_evaluated: bool) -> str:
    """No series and no data are different things to look for."""
    name, window = name_of(slo, ledger), slo.longest_window
    if is_evaluated:
        why = "such group, or it was not admitted" if ledger.group else "roll-ups: does a rule fail?"
        return f"{reader.client.name} evaluates the rules of {name}, but has no {why}"
    mark = Selector(series.ROLL_UP_MARK).over(window)
    others = reader.instant(Aggregation("count", Call("present_over_time", (mark,)), SLO_LABELS), at)
    known = sorted(f"{s.labels.get('service')}/{s.labels.get('slo')}" for s in others)
    some = ", ".join(known[:_MOST_NAMED]) + " and others" * (len(known) > _MOST_NAMED)
    there_is = f"it has {some}" if known else "nor of any other SLO"
    return (
        f"{reader.client.name} has recorded nothing of {name} in the {window} before {at:%Y-%m-%d %H:%M} UTC, "
        f"{there_is}: are the rules loaded there?"
    )
