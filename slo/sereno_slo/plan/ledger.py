"""The error budget, counted: minute entries, roll-ups, windows and the figures made of them (docs/ledger.md)."""

from collections.abc import Mapping
from typing import assert_never

from sereno_slo.duration import Duration
from sereno_slo.model import BadEventsRatio, GoodEventsRatio, Indicator, Latency, ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.rules import RecordingRule
from sereno_slo.plan.series import FIVE_MINUTES, MINUTE, MINUTE_WINDOWS, ROLL_UP_WINDOWS, Ledger
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, any_of

# How far back the last sample before this minute is looked for: a gap in scraping up to this long loses nothing.
_GAP = Duration.parse("15m")
# A process younger than this whose series appear is new, and all that it counted happened now. Discovery may take
# minutes: a bound of 60 s missed pods that were discovered two minutes after their start.
_YOUNG_PROCESS_SECONDS = 900
_SLO_LABELS = ("service", "slo")


def target_of(selector: Selector, metric: str, identity_labels: tuple[str, ...]) -> Selector:
    """The series `metric` (`up`, process start) of the targets whose series `selector` reads."""
    return Selector(metric, tuple(m for m in selector.matchers if m.label in identity_labels))


def entry(counter: Selector, settings: Settings) -> Expr:
    """How many events a counter counted in the last minute, over all its series.

    Differences of last samples telescope: nothing is extrapolated, and a gap of up to 15 minutes is caught up. The
    order of the branches does the work: `or` takes a series from the first branch that has it.
    """
    now = Call("last_over_time", (counter.over(MINUTE),))
    before = Call("last_over_time", (counter.over(_GAP).ago(MINUTE),))
    grown = (now - before) >= 0
    reset = now.and_(before)  # went down: a reset, counts from zero
    was_watched = target_of(counter, "up", settings.identity_labels).ago(MINUTE).equals(1)
    born_inside: Expr = was_watched
    if settings.process_start_metric is not None:
        start = target_of(counter, settings.process_start_metric, settings.identity_labels)
        born_inside = was_watched.or_((Call("time") - start) < _YOUNG_PROCESS_SECONDS)
    born = now.and_(born_inside, on=settings.identity_labels)
    return Aggregation("sum", any_of(grown, reset, born))


def entries(slo: ServiceLevelObjective, settings: Settings) -> tuple[RecordingRule, ...]:
    """The minute's entry: events, bad events, and how much of the targets was seen."""
    labels = {"service": slo.service, "slo": slo.name}
    return (
        RecordingRule(series.EVENTS_ENTRY, entry(slo.indicator.total, settings), labels),
        RecordingRule(series.BAD_EVENTS_ENTRY, bad_entry(slo.indicator, Ledger.of(slo), settings), labels),
        RecordingRule(series.COVERAGE_ENTRY, targets_seen(slo.indicator.total, settings), labels),
    )


def bad_entry(indicator: Indicator, ledger: Ledger, settings: Settings) -> Expr:
    """How many of the minute's events were bad. Never negative, and zero where no error series exists yet."""
    # This minute's entry only: after a short stop of Prometheus an instant look-up would still find the last one.
    events = Call("last_over_time", (ledger.series(series.EVENTS_ENTRY).over(MINUTE.just_under()),))
    none = 0 * events
    counted: Expr
    match indicator:
        case BadEventsRatio(bad=bad):
            # Without `ignoring` the `or` fails as soon as errors exist: both sides would become the same series.
            return entry(bad, settings).or_(none, ignoring=_SLO_LABELS)
        case GoodEventsRatio(good=good):
            counted = entry(good, settings).or_(none, ignoring=_SLO_LABELS)
        case Latency(fast=fast):
            # No `or` here: histograms are born with all their buckets, so a missing one means that the threshold is
            # no bucket bound. Then there is no bad entry, and SLONoData says so, rather than "all fast" or "all slow".
            counted = entry(fast, settings)
        case _:
            assert_never(indicator)
    return Call("clamp_min", (_minus(events, counted), Number(0)))


def _minus(events: Expr, counted: Expr) -> Expr:
    return Binary("-", events, counted, ignoring=_SLO_LABELS)


def targets_seen(counter: Selector, settings: Settings) -> Expr:
    """The part of the known targets that answered their last scrape."""
    up = target_of(counter, "up", settings.identity_labels)
    return Aggregation("avg", up)


def minute_windows(slo: ServiceLevelObjective) -> tuple[RecordingRule, ...]:
    """Counts and error ratios over the windows that minute entries serve."""
    return _windows(
        slo, {str(window): window for window in MINUTE_WINDOWS}, series.EVENTS_ENTRY, series.BAD_EVENTS_ENTRY
    )


def long_windows(slo: ServiceLevelObjective) -> tuple[RecordingRule, ...]:
    """Roll-ups, and counts and error ratios over the windows that they serve, the SLO's own among them."""
    ledger = Ledger.of(slo)
    labels = {"service": slo.service, "slo": slo.name}
    roll_ups = tuple(
        RecordingRule(roll_up, _sum(ledger.series(minutes), FIVE_MINUTES), labels)
        for roll_up, minutes in (
            (series.EVENTS_ROLL_UP, series.EVENTS_ENTRY),
            (series.BAD_EVENTS_ROLL_UP, series.BAD_EVENTS_ENTRY),
            (series.COVERAGE_ROLL_UP, series.COVERAGE_ENTRY),
        )
    )
    # The SLO's own window is called `window` whatever its length, so that queries need no table of lengths.
    windows = {str(window): window for window in ROLL_UP_WINDOWS} | {"window": slo.window}
    return roll_ups + _windows(slo, windows, series.EVENTS_ROLL_UP, series.BAD_EVENTS_ROLL_UP) + _figures(slo)


def _figures(slo: ServiceLevelObjective) -> tuple[RecordingRule, ...]:
    ledger = Ledger.of(slo)
    labels = {"service": slo.service, "slo": slo.name}
    roll_ups = ledger.series(series.EVENTS_ROLL_UP).over(slo.window.just_under())
    slots = slo.window / MINUTE
    return (
        # The average of the roll-ups that exist: a young SLO expects what it has seen, not zeros.
        RecordingRule(series.EXPECTED_EVENTS, Call("avg_over_time", (roll_ups,)), labels),
        RecordingRule(
            series.BUDGET_REMAINING,
            1 - ledger.series("sereno:error_ratio:window") / slo.error_budget_ratio,
            labels,
        ),
        RecordingRule(series.COVERAGE, _sum(ledger.series(series.COVERAGE_ROLL_UP), slo.window) / slots, labels),
    )


def remaining_to_the_minute(slo: ServiceLevelObjective) -> Expr:
    """The remaining budget, counted from minute entries: exact now, where the recorded one is up to five minutes old.

    It reads the whole window (43,200 entries twice for 30 days): for pages and for people, not for every minute.
    """
    ledger = Ledger.of(slo)
    bad_events = _sum(ledger.series(series.BAD_EVENTS_ENTRY), slo.window)
    events = _sum(ledger.series(series.EVENTS_ENTRY), slo.window)
    return 1 - bad_events / (events > 0) / slo.error_budget_ratio


def _sum(entries: Selector, window: Duration) -> Expr:
    return Call("sum_over_time", (entries.over(window.just_under()),))


def _windows(
    slo: ServiceLevelObjective, windows: Mapping[str, Duration], events_from: str, bad_events_from: str
) -> tuple[RecordingRule, ...]:
    ledger = Ledger.of(slo)
    labels = {"service": slo.service, "slo": slo.name}
    rules: list[RecordingRule] = []
    for name, window in windows.items():
        events, bad_events = (ledger.series(f"sereno:{subject}:{name}") for subject in ("events", "bad_events"))
        rules += (
            RecordingRule(events.metric, _sum(ledger.series(events_from), window), labels),
            RecordingRule(bad_events.metric, _sum(ledger.series(bad_events_from), window), labels),
            # Idle is an error ratio of 0: 0/0 would be NaN, which poisons every average over it.
            RecordingRule(f"sereno:error_ratio:{name}", (bad_events / (events > 0)).or_(0 * events), labels),
        )
    return tuple(rules)


def facts(slo: ServiceLevelObjective) -> tuple[RecordingRule, ...]:
    """What the spec says, as series for joins and dashboards; owner and tier stay off the ledger's own labels."""
    labels = {"service": slo.service, "slo": slo.name}
    one = Number(1)
    return (
        RecordingRule(series.INFO, Call("vector", (one,)), labels | {"owner": slo.owner, "tier": str(slo.tier)}),
        RecordingRule(series.OBJECTIVE, Call("vector", (Number(slo.objective_ratio),)), labels),
        RecordingRule(series.WINDOW, Call("vector", (Number(slo.window.seconds),)), labels),
    )
