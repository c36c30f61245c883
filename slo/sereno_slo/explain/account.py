"""What a server has recorded of one ledger in one window: the roll-ups that its figures are sums of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.history import Reader
from sereno_slo.model import ServiceLevelObjective
from sereno_slo.plan import series
from sereno_slo.plan.entries import may_be_negative
from sereno_slo.plan.series import MISSED_LABELS, SLO_LABELS, Ledger
from sereno_slo.promql import Aggregation, Call, Expr, Selector

SLOT_MS = FIVE_MINUTES.milliseconds
FRESH_MS = 2 * SLOT_MS
"""What is recorded every five minutes is told as of now when it is at most so old, as alerts and dashboards do."""
LAG_MS = MINUTE.milliseconds
"""A roll-up sums what was entered until a minute before it."""

# Roll-ups of ten days are 2,880 samples of a series: an answer of 100 kB.
_PIECE_MS = 10 * 86_400_000

_MOST_NAMED = 5

Points = dict[int, float]
"""Values by milliseconds since 1970."""


class NotRecorded(Exception):  # noqa: N818 - reads as what happened
    """The server answers, but has nothing to explain; the message tells no series from no data."""


class SeveralLedgers(Exception):  # noqa: N818 - reads as what happened
    """The server has the ledger more than once, under labels that rules don't give; the message names them."""


@dataclass(frozen=True, slots=True)
class Account:
    """The roll-ups of a window that ended with the evaluation `evaluated_ms`; milliseconds since 1970."""

    slo: ServiceLevelObjective
    ledger: Ledger
    asked_ms: int
    """The moment that was asked about."""
    evaluated_ms: int
    """The last evaluation before it: the figures are those that it recorded."""
    begun_ms: int | None
    """When the ledger began, where that lies within the window; None where it is older."""
    events: Points
    bad_events: Points
    event_entries: Points
    """The minutes that are in the roll-ups, and tell when within five minutes something happened."""
    bad_event_entries: Points
    covered_minutes: Points
    marks: tuple[int, ...]
    """When roll-ups were evaluated."""

    @property
    def window(self) -> Duration:
        """How long the window is that ended with the evaluation."""
        return self.slo.window

    @property
    def start_ms(self) -> int:
        """The window holds what was rolled up after this."""
        return self.evaluated_ms - self.window.milliseconds

    @property
    def is_fresh(self) -> bool:
        """Whether the last evaluation is as recent as it should be."""
        return self.asked_ms - self.evaluated_ms <= FRESH_MS

    @property
    def looked_at(self) -> datetime:
        """When instant questions are asked: now, or when the rules were evaluated last."""
        return moment(self.asked_ms if self.is_fresh else self.evaluated_ms)

    @property
    def total_events(self) -> float:
        """The window's events: `sereno:events:window` as it was recorded."""
        return sum(self.events.values())

    @property
    def total_bad_events(self) -> float:
        """The window's bad events: `sereno:bad_events:window` as it was recorded."""
        total = sum(self.bad_events.values())
        return max(total, 0.0) if may_be_negative(self.slo.indicator) else total

    @property
    def budget_events(self) -> float:
        """So many bad events are 100 % of the budget."""
        return self.slo.error_budget_ratio * self.total_events


def read_account(reader: Reader, slo: ServiceLevelObjective, ledger: Ledger, at: datetime) -> Account:
    """The account at a moment; every question may raise a `PrometheusError`.

    Raises:
        NotRecorded: there is nothing in the window, or no bad events are counted.
        SeveralLedgers: there is more than one such ledger.
    """
    asked_ms = round(at.timestamp() * 1000)
    # A window more: the last evaluation may lie long before the moment.
    early_ms = asked_ms - slo.window.milliseconds
    whole = ledger.whole
    marks = _points(reader, whole.series(series.ROLL_UP_MARK), early_ms, asked_ms)
    events = _points(reader, ledger.series(series.EVENTS_ROLL_UP), early_ms, asked_ms)
    evaluations = sorted({*marks, *events})
    if not events:
        raise NotRecorded(_nothing(reader, slo, ledger, at, is_evaluated=bool(marks)))
    evaluated_ms = evaluations[-1]
    start_ms = evaluated_ms - slo.window.milliseconds
    if start_ms < early_ms:
        events |= _points(reader, ledger.series(series.EVENTS_ROLL_UP), start_ms, early_ms)
        marks |= _points(reader, whole.series(series.ROLL_UP_MARK), start_ms, early_ms)
    bad_events = _points(reader, ledger.series(series.BAD_EVENTS_ROLL_UP), start_ms, evaluated_ms)
    if not bad_events:
        raise NotRecorded(
            f"{reader.client.name} counts events of {name_of(slo, ledger)}, but no bad ones: does a series of the "
            "indicator lack a label or a bucket? (sereno validate --prometheus)"
        )
    event_entries, bad_event_entries = (
        _points(reader, ledger.series(name), start_ms - SLOT_MS - LAG_MS, evaluated_ms - LAG_MS)
        for name in (series.EVENTS_ENTRY, series.BAD_EVENTS_ENTRY)
    )
    first_ms = min(event_entries, default=min(events) - SLOT_MS)
    return Account(
        slo,
        ledger,
        asked_ms,
        evaluated_ms,
        None if _is_older(reader, ledger, slo.window, start_ms) else first_ms - MINUTE.milliseconds,
        events,
        bad_events,
        event_entries,
        bad_event_entries,
        _points(reader, whole.series(series.COVERAGE_ROLL_UP), start_ms, evaluated_ms),
        tuple(sorted(marks)),
    )


def name_of(slo: ServiceLevelObjective, ledger: Ledger) -> str:
    """`service/slo`, and the group where it is one's."""
    group = ", ".join(f"{matcher.label}={matcher.value}" for matcher in ledger.group)
    return f"{slo.service}/{slo.name}" + (f" of {group}" if group else "")


def moment(at_ms: float) -> datetime:
    """The moment, in UTC."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=round(at_ms))


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
    name, window = name_of(slo, ledger), slo.window
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
