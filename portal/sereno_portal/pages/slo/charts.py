"""An SLO's pictures: its budget with a look ahead, its burn rates, its events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sereno_backends.prometheus import Columns
from sereno_slo.duration import Duration
from sereno_slo.model import AlertSeverity, BurnTier, Objective, ServiceLevelObjective, Threshold, TimeSlices
from sereno_slo.plan import series
from sereno_slo.plan.series import Ledger
from sereno_slo.policy import is_feasible
from sereno_slo.promql import Call, Expr
from sereno_slo.render import queries

from sereno_portal.asking import figures_of, lines_of
from sereno_portal.charts import Bound, Chart, Hue, Line, on_times, times_of
from sereno_portal.gateway import Gateway, NotAnswered, Span, span_of
from sereno_portal.happenings import marks_of

HOUR, DAY = Duration.parse("1h"), Duration.parse("1d")
BURN_UNIT = "suffix:×"  # noqa: RUF001 - as people write "14 times"
_FIVE_MINUTES_SECONDS = 300
_MOST_VALUES = 20
Say = Callable[[str], str]


class Picture(StrEnum):
    """What an SLO's charts are called in addresses."""

    BUDGET = "budget"
    BURN_RATES = "burn-rates"
    EVENTS = "events"
    VALUES = "values"
    """Of time slices: the values that minutes are judged by."""


def span_for(slo: Objective, length: timedelta | None, now: datetime) -> Span:
    """The last `length`, or the SLO's own window."""
    if length is not None:
        return span_of(length, now)
    started = now - timedelta(seconds=slo.window.seconds) if slo.calendar is None else slo.calendar.around(now)[0]
    return span_of(max(now - started, timedelta(hours=1)), now)


def feasible_tiers(slo: Objective) -> tuple[BurnTier, ...]:
    """Those that can fire."""
    return tuple(tier for tier in slo.alerting.tiers if is_feasible(slo, tier))


def draw(gateway: Gateway, slo: Objective, picture: Picture, span: Span, say: Say) -> Chart | None:
    """The chart; None where the SLO has no such one. Raises `NotAnswered`."""
    match picture:
        case Picture.BUDGET:
            return _budget(gateway, slo, span, say)
        case Picture.BURN_RATES:
            return _burn_rates(gateway, slo, span, say)
        case Picture.EVENTS:
            return _events(gateway, slo, span, say)
        case Picture.VALUES:
            return _values(gateway, slo, span, say)


def _budget(gateway: Gateway, slo: Objective, span: Span, say: Say) -> Chart:
    ledger = Ledger.of(slo)
    exprs: dict[str, Expr] = {"remaining": queries.budget_remaining(ledger)}
    exprs |= {str(window): queries.burn_rate(ledger, slo, window) for window in (HOUR, DAY)}
    found = _up_to_now(gateway, exprs, span)
    past, remaining = found.times, found.lines["remaining"]
    last = next((index for index in reversed(range(len(past))) if remaining[index] is not None), None)
    until = _horizon(slo, span, datetime.fromtimestamp(past[-1], UTC))
    ahead = tuple(past[-1] + span.step.total_seconds() * count for count in range(1, until + 1))
    lines = [Line(say("Budget remaining"), (*remaining, *(None for _ in ahead)), Hue.GOOD)]
    for window, hue in ((HOUR, Hue.WARNING), (DAY, Hue.OTHER)):
        pace = found.lines[str(window)][last] if last is not None else None
        if last is not None and pace is not None:
            values = _forecast((*past, *ahead), last, remaining[last] or 0.0, pace / slo.window.seconds)
            label = say("At the pace of the last hour") if window is HOUR else say("At the pace of the last day")
            lines.append(Line(label, values, hue, dashed=True))
    marks = marks_of(gateway, slo, span)
    return Chart(
        say("Budget remaining"),
        "percentunit",
        (*past, *ahead),
        tuple(lines),
        (Bound(0, say("spent")),),
        marks.marks,
        empty=say("Nothing is recorded yet"),
        minimum=0,
        maximum=1,
        trouble=found.trouble or marks.trouble,
    )


@dataclass(frozen=True, slots=True)
class _Lines:
    """What expressions yield over a span, the figures of now last."""

    times: tuple[float, ...]
    lines: Mapping[str, tuple[float | None, ...]]
    trouble: str


def _up_to_now(gateway: Gateway, exprs: Mapping[str, Expr], span: Span) -> _Lines:
    """A span ends at a whole step, which is hours ago where it is long; the figures of now are one point more."""
    answer, times = lines_of(gateway, exprs, span), times_of(span)
    lines = {name: _only(answer.value, name, times) for name in exprs}
    try:
        now = figures_of(gateway, exprs)
    except NotAnswered as error:
        return _Lines(times, lines, answer.trouble or str(error))
    at, trouble = now.at.timestamp(), answer.trouble or now.trouble
    if at <= times[-1]:
        return _Lines(times, lines, trouble)
    return _Lines((*times, at), {name: (*line, now.value.get(name)) for name, line in lines.items()}, trouble)


def _horizon(slo: Objective, span: Span, now: datetime) -> int:
    """How many steps ahead: a quarter of what is shown; a calendar's window ends, and its budget is whole again."""
    seconds = (span.end - span.start).total_seconds() / 4
    if slo.calendar is not None:
        seconds = min(seconds, (slo.calendar.around(now)[1] - now).total_seconds())
    return int(seconds // span.step.total_seconds())


def _forecast(times: tuple[float, ...], last: int, remaining: float, spent_a_second: float) -> tuple[float | None, ...]:
    """From the last known value on, until the budget is spent."""
    values: list[float | None] = [None] * last
    for at in times[last:]:
        value = remaining - spent_a_second * (at - times[last])
        values.append(max(value, 0.0) if remaining > 0 else value)
        if remaining > 0 and value <= 0:
            break
    return (*values, *[None] * (len(times) - len(values)))


def _burn_rates(gateway: Gateway, slo: Objective, span: Span, say: Say) -> Chart:
    ledger, tiers = Ledger.of(slo), feasible_tiers(slo)
    windows = sorted({window for tier in tiers for window in (tier.long, tier.short)}) or [HOUR]
    found = _up_to_now(gateway, {str(each): queries.burn_rate(ledger, slo, each) for each in windows}, span)
    # One line for each threshold; where a page and a ticket share it, the page's.
    thresholds = {tier.factor(slo.window): tier.severity for tier in reversed(tiers)}
    marks = marks_of(gateway, slo, span)
    return Chart(
        say("Burn rates"),
        BURN_UNIT,
        found.times,
        tuple(Line(str(window), found.lines[str(window)]) for window in windows),
        tuple(_bound(factor, severity, say) for factor, severity in sorted(thresholds.items())),
        marks.marks,
        empty=say("Nothing is recorded yet"),
        minimum=0,
        maximum=1.2 * max(thresholds, default=1.0),
        trouble=found.trouble or marks.trouble,
    )


def _bound(factor: float, severity: AlertSeverity, say: Say) -> Bound:
    is_page = severity is AlertSeverity.CRITICAL
    return Bound(factor, say("page") if is_page else say("ticket"), Hue.BAD if is_page else Hue.WARNING)


def _events(gateway: Gateway, slo: Objective, span: Span, say: Say) -> Chart:
    ledger = Ledger.of(slo)
    window = Duration(max(_FIVE_MINUTES_SECONDS, int(span.step.total_seconds())) * 1000)
    exprs = {
        name: Call("avg_over_time", (ledger.series(name).over(window),))
        for name in (series.EVENTS_ENTRY, series.BAD_EVENTS_ENTRY)
    }
    answer = lines_of(gateway, exprs, span)
    found, times = answer.value, times_of(span)
    return Chart(
        say("Events a minute"),
        "cpm",
        times,
        (
            Line(say("Events"), _only(found, series.EVENTS_ENTRY, times)),
            Line(say("Bad events"), _only(found, series.BAD_EVENTS_ENTRY, times), Hue.BAD, right=True),
        ),
        empty=say("Nothing was counted"),
        minimum=0,
        trouble=answer.trouble,
    )


def _values(gateway: Gateway, slo: Objective, span: Span, say: Say) -> Chart | None:
    if not isinstance(slo, ServiceLevelObjective) or not isinstance(slo.indicator, TimeSlices):
        return None
    indicator = slo.indicator
    times = times_of(span)
    answer = gateway.range(indicator.gauge, span)
    fixed = {matcher.label for matcher in indicator.gauge.matchers} | {"__name__"}
    lines = tuple(
        Line(", ".join(v for k, v in each.labels.items() if k not in fixed) or "–", on_times(each, times))  # noqa: RUF001 - what stands where there is no label
        for each in answer.value[:_MOST_VALUES]
    )
    limits = (indicator.minimum, indicator.maximum) if isinstance(indicator, Threshold) else (None, None)
    bounds = tuple(Bound(limit, say("limit"), Hue.WARNING) for limit in limits if limit is not None)
    return Chart(
        indicator.gauge.metric,
        "short",
        times,
        lines,
        bounds,
        empty=say("Nothing is recorded yet"),
        trouble=answer.trouble,
    )


def _only(found: Mapping[str, tuple[Columns, ...]], name: str, times: tuple[float, ...]) -> tuple[float | None, ...]:
    columns = found[name]
    return on_times(columns[0], times) if columns else (None,) * len(times)
