"""Which label values spent the budget: by the groups' ledgers, and by raw series counted anew in the worst hours."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import assert_never

from sereno_slo.duration import MINUTE, Duration
from sereno_slo.explain.account import LAG_MS, Account, moment
from sereno_slo.explain.spending import HOUR_MS, Stretch
from sereno_slo.history import Reader, entry_expressions
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Latency,
    NativeLatency,
    Probe,
    Settings,
    Threshold,
    TimeSlices,
)
from sereno_slo.plan import series
from sereno_slo.plan.counting import Raw, counted
from sereno_slo.plan.series import Ledger
from sereno_slo.plan.spenders import breakdown_labels
from sereno_slo.plan.windows import summed_over_own
from sereno_slo.promql import Aggregation, Call, Expr, MatchOp, Selector

WORST_HOURS = 3
"""Raw series are asked about so many hours, those that spent most: a whole window can be millions of samples."""

_HOUR = Duration(HOUR_MS)
_LEAST_OF_WORST = 0.1
_MOST_LABELS = 6
_MOST_VALUES = 5
_NEVER_TOLD = ("__name__", "le", "quantile")


@dataclass(frozen=True, slots=True)
class Spender:
    """One value of a label, or one group."""

    value: str
    bad_events: float
    share: float
    """Of all bad events that the breakdown looks at."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Bad events by the values of a label."""

    labels: tuple[str, ...]
    """One label; several of groups that have several."""
    spenders: tuple[Spender, ...]
    """The largest ones, in order."""
    others: float
    """Bad events of all values that aren't named."""
    is_whole_window: bool
    """By the groups' own ledgers, over the whole window; else by raw series, over the worst hours."""


@dataclass(frozen=True, slots=True)
class Spenders:
    """Who spent the budget."""

    hours: tuple[Stretch, ...]
    """What raw series were asked about, in order of time."""
    bad_events: float
    """What the ledger counted in these hours."""
    raw_bad_events: float | None
    """What raw series tell of the same hours, counted as rules count; None where they tell nothing any more."""
    breakdowns: tuple[Breakdown, ...]


def spenders_of(reader: Reader, account: Account, settings: Settings, hours: Iterable[Stretch]) -> Spenders:
    """Who spent the account's budget; every question may raise a `PrometheusError`."""
    worst = _worst(hours)
    by_groups = () if account.ledger.group else tuple(_of_groups(reader, account, settings))
    indicator = _of_group(account.slo.indicator, account.ledger)
    labels = _labels(reader, account, indicator, settings, worst)
    cells = _cells(reader, account, indicator, settings, labels=labels, worst=worst) if labels else []
    by_label = (_of_label(label, cells, is_sliced=isinstance(indicator, TimeSlices)) for label in labels)
    return Spenders(
        tuple(worst),
        sum(hour.bad_events for hour in worst),
        _total(cells, is_sliced=isinstance(indicator, TimeSlices)) if cells else None,
        (*by_groups, *(found for found in by_label if found.spenders)),
    )


def _worst(hours: Iterable[Stretch]) -> list[Stretch]:
    """The hours that spent most, in order of time; none that is small beside the first."""
    spending = sorted((hour for hour in hours if hour.bad_events > 0), key=lambda hour: -hour.bad_events)[:WORST_HOURS]
    least = _LEAST_OF_WORST * spending[0].bad_events if spending else 0.0
    return sorted((hour for hour in spending if hour.bad_events >= least), key=lambda hour: hour.begin)


def _of_groups(reader: Reader, account: Account, settings: Settings) -> Iterator[Breakdown]:
    """The groups' ledgers, over the very window of the whole's."""
    group_by = account.slo.group_by
    if group_by is None:
        return
    groups = Ledger.of_groups(account.slo, group_by)
    counted_bad = summed_over_own(account.slo, groups, series.BAD_EVENTS_ROLL_UP, settings)
    bad_events: dict[str, float] = {}
    by_group = Aggregation("max", counted_bad, group_by.labels)
    for sample in reader.instant(by_group, moment(account.evaluated_ms)):
        if sample.is_finite and sample.value > 0:
            bad_events[", ".join(sample.labels.get(label, "") for label in group_by.labels)] = sample.value
    if bad_events:
        yield _breakdown(group_by.labels, bad_events, account.total_bad_events, is_whole_window=True)


def _breakdown(labels: tuple[str, ...], bad: dict[str, float], whole: float, *, is_whole_window: bool) -> Breakdown:
    ordered = sorted(bad.items(), key=lambda item: (-item[1], item[0]))[:_MOST_VALUES]
    named = tuple(Spender(value, count, count / whole if whole > 0 else 0.0) for value, count in ordered)
    return Breakdown(labels, named, max(0.0, whole - sum(spender.bad_events for spender in named)), is_whole_window)


@dataclass(frozen=True, slots=True)
class _Cell:
    """Bad events of one minute and one set of label values."""

    at_ms: int
    values: dict[str, str]
    bad_events: float


def _of_label(label: str, cells: Sequence[_Cell], *, is_sliced: bool) -> Breakdown:
    by_value: dict[str, list[_Cell]] = defaultdict(list)
    for cell in cells:
        by_value[cell.values.get(label, "")].append(cell)
    bad = {value: _total(each, is_sliced=is_sliced) for value, each in by_value.items()}
    whole = _total(cells, is_sliced=is_sliced)
    return _breakdown((label,), {v: b for v, b in bad.items() if b > 0}, whole, is_whole_window=False)


def _total(cells: Iterable[_Cell], *, is_sliced: bool) -> float:
    """Of time slices a minute is bad once, however many series were bad in it."""
    if is_sliced:
        return float(len({cell.at_ms for cell in cells if cell.bad_events > 0}))
    return sum(cell.bad_events for cell in cells)


def _cells(
    reader: Reader,
    account: Account,
    indicator: Indicator,
    settings: Settings,
    *,
    labels: tuple[str, ...],
    worst: Sequence[Stretch],
) -> list[_Cell]:
    """The entries of the hours' minutes by all of the labels, as the rules would have made them."""
    expr = _entry(account, indicator, settings, labels)
    minutes: list[int] = []
    for hour in worst:
        begin_ms = round(hour.begin.timestamp() * 1000)
        end_ms = min(begin_ms + HOUR_MS, account.evaluated_ms - LAG_MS)
        every = range(begin_ms + MINUTE.milliseconds, end_ms + 1, MINUTE.milliseconds)
        minutes += [minute_ms for minute_ms in every if account.counts_minute(minute_ms)]
    return [
        _Cell(at_ms, dict(of_series), value)
        for of_series, points in reader.evaluated(expr, minutes).items()
        for at_ms, value in points.items()
        if value
    ]


def _entry(account: Account, indicator: Indicator, settings: Settings, labels: tuple[str, ...]) -> Expr:
    if isinstance(indicator, BadEventsRatio):
        return counted(indicator.bad, Raw(settings), labels)
    by_labels = Ledger(account.slo.service, account.slo.name, labels)
    return entry_expressions(replace(account.slo, indicator=indicator), by_labels, settings)[series.BAD_EVENTS_ENTRY]


def _labels(
    reader: Reader, account: Account, indicator: Indicator, settings: Settings, worst: Sequence[Stretch]
) -> tuple[str, ...]:
    """The labels that series of bad events have, those first that usually say most."""
    selector = indicator.bad if isinstance(indicator, BadEventsRatio) else indicator.total
    seen = Call("present_over_time", (Raw(settings).latest(selector).over(_HOUR),))
    found = {
        label
        for hour in worst
        for sample in reader.instant(seen, min(hour.begin + timedelta(hours=1), account.looked_at))
        for label in sample.labels
    }
    fixed = {matcher.label for matcher in selector.matchers if matcher.op is MatchOp.EQUAL}
    told = sorted(found - fixed - set(_NEVER_TOLD))
    group_by = account.slo.group_by
    usual = (*(group_by.labels if group_by else ()), *breakdown_labels(indicator, settings), *settings.identity_labels)
    return tuple(dict.fromkeys((*(label for label in usual if label in told), *told)))[:_MOST_LABELS]


def _of_group(indicator: Indicator, ledger: Ledger) -> Indicator:
    """The indicator of one group's events only."""

    def within(selector: Selector) -> Selector:
        return selector.where(*ledger.group)

    match indicator:
        case BadEventsRatio(total=total, bad=bad):
            return BadEventsRatio(within(total), within(bad))
        case GoodEventsRatio(total=total, good=good):
            return GoodEventsRatio(within(total), within(good))
        case Latency(total=total, fast=fast):
            return Latency(within(total), within(fast), indicator.metric, indicator.threshold_seconds)
        case NativeLatency(histogram=histogram):
            return NativeLatency(within(histogram), indicator.threshold_seconds)
        case Threshold(gauge=gauge):
            return Threshold(within(gauge), indicator.minimum, indicator.maximum)
        case Probe(gauge=gauge):
            return Probe(within(gauge))
        case _:
            assert_never(indicator)
