"""One SLO's panels: what is left of its budget, how fast it burns, what was counted, how much was seen."""

from collections.abc import Iterator
from typing import assert_never

from grafana_foundation_sdk.builders import stat, timeseries
from grafana_foundation_sdk.models import dashboard as model

from sereno_slo.duration import Duration
from sereno_slo.model import AlertSeverity, BurnTier, Journey, Objective, ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.series import Ledger
from sereno_slo.policy import is_feasible
from sereno_slo.promql import Call, Expr
from sereno_slo.render import queries
from sereno_slo.render.dashboards import dependencies, groups
from sereno_slo.render.dashboards.layout import Line, Section
from sereno_slo.render.dashboards.panels import (
    BAD,
    BUDGET_STEPS,
    BURN_UNIT,
    COVERAGE_STEPS,
    GOOD,
    RATE_INTERVAL,
    WARNING,
    Query,
    Steps,
    Text,
    figure,
    figures,
    fixed_color,
    graph,
    url_link,
)
from sereno_slo.render.dashboards.variables import SLO_DASHBOARD_UID
from sereno_slo.render.links import slo_runbook_url
from sereno_slo.render.words import (
    current_window_in_words,
    exclusions_in_words,
    objective_in_words,
    one_line,
    own_window_in_words,
    percent,
    sentence,
)

HOUR, DAY = Duration.parse("1h"), Duration.parse("1d")
_HORIZONS = tuple(map(Duration.parse, ("1d", "3d", "7d")))
_DAY_SECONDS = 86_400
_UNSEEN = "nothing recorded yet"
_COLORS = {AlertSeverity.CRITICAL: BAD, AlertSeverity.WARNING: WARNING}


def section(slo: ServiceLevelObjective | Journey, settings: Settings) -> Section:
    """Six figures of now above three graphs, then the groups and what it depends on, where there are any."""
    ledger = Ledger("$service", slo.name)
    what = "journey " if isinstance(slo, Journey) else ""
    title = f"{what}{slo.name}: {percent(slo.objective_percent)} over {own_window_in_words(slo)}"
    if slo.description:
        title += f" · {one_line(slo.description)}"
    of_now = (
        _remaining(slo, ledger, settings),
        _service_level(slo, ledger),
        _bad_events_left(slo, ledger),
        _gone_in(slo, ledger),
        _burn_now(slo, ledger),
        _coverage(slo, ledger),
    )
    graphs = (_burn_down(slo, ledger), _forecast(slo, ledger), _burn_rates(slo, ledger), _events(slo, ledger))
    return Section(title, (Line(4, of_now), Line(8, graphs, widths=(7, 3, 7, 7)), *_further(slo)))


def _further(slo: ServiceLevelObjective | Journey) -> Iterator[Line]:
    """What an SLO is made of, and what it stands on."""
    match slo:
        case Journey(steps=steps):
            yield dependencies.steps(slo.name, steps)
        case ServiceLevelObjective(group_by=group_by, depends_on=depends_on):
            if group_by:
                yield groups.line(slo, group_by)
            if depends_on:
                yield dependencies.line(slo.name, depends_on)
        case _:
            assert_never(slo)


def _remaining(slo: Objective, ledger: Ledger, settings: Settings) -> stat.Panel:
    description = (
        f"What is left of the error budget: 100 % untouched, below 0 overspent. In {own_window_in_words(slo)} "
        f"{objective_in_words(slo)}. When it is spent: {sentence(slo.impact)}{exclusions_in_words(slo)}"
    )
    text = Text(f"{slo.name}: budget remaining", description, "percentunit")
    panel = figure(text, Query(queries.budget_remaining(ledger)), steps=BUDGET_STEPS, decimals=1, none=_UNSEEN)
    detail = f"/d/{SLO_DASHBOARD_UID}?var-service={slo.service}&var-slo={slo.name}&${{__url_time_range}}"
    links = [url_link(f"Everything of {slo.name}", detail).target_blank(target_blank=False)]
    if url := slo_runbook_url(settings.links, slo):
        links.append(url_link(f"Runbook {slo.name}", url))
    return panel.links([*links])


def _service_level(slo: Objective, ledger: Ledger) -> stat.Panel:
    description = (
        f"Good events of all events of {current_window_in_words(slo)}, counted; "
        f"the objective is {percent(slo.objective_percent)}."
    )
    steps: Steps = ((None, BAD), (slo.objective_ratio, GOOD))
    decimals = len(f"{slo.objective_percent:.10g}".partition(".")[2]) + 1
    text = Text(f"{slo.name}: service level", description, "percentunit")
    return figure(text, Query(queries.service_level(ledger)), steps=steps, decimals=decimals, none=_UNSEEN)


def _bad_events_left(slo: Objective, ledger: Ledger) -> stat.Panel:
    description = (
        f"How many more events may be bad before the objective is missed, at the traffic of {_traffic_in_words(slo)}. "
        "Below 0: how many too many there were."
    )
    text = Text(f"{slo.name}: bad events left", description, "locale")
    return figure(
        text, Query(queries.bad_events_left(ledger, slo)), steps=((None, BAD), (0, GOOD)), decimals=0, none=_UNSEEN
    )


def _gone_in(slo: Objective, ledger: Ledger) -> stat.Panel:
    description = (
        "When the budget is spent if every hour is like the last one; what recovers meanwhile is left out. "
        "The overview and the SLO's own dashboard go by the last day."
    )
    text = Text(f"{slo.name}: budget gone in, 1h pace", description, "s")
    steps: Steps = ((None, BAD), (_DAY_SECONDS, WARNING), (slo.window.seconds, GOOD))
    panel = figure(text, Query(queries.seconds_until_spent(ledger, slo, HOUR)), steps=steps, decimals=1, none=_UNSEEN)
    never = model.ValueMappingResult(text="not in sight", color=GOOD)
    return panel.mappings(
        [
            model.RangeMap(model.DashboardRangeMapOptions(from_val=queries.far_away(slo).seconds, result=never)),
            model.ValueMap({"0": model.ValueMappingResult(text="spent", color=BAD)}),
        ]
    )


def _burn_now(slo: Objective, ledger: Ledger) -> stat.Panel:
    description = (
        "Bad events of the last hour as a multiple of what the objective allows: at 1 the budget lasts exactly "
        f"{own_window_in_words(slo)}."
    )
    text = Text(f"{slo.name}: burn rate, 1h", description, BURN_UNIT)
    pages = [tier.factor(slo.window) for tier in _tiers(slo) if tier.severity is AlertSeverity.CRITICAL]
    steps: Steps = ((None, GOOD), (1, WARNING), *(((min(pages), BAD),) if pages else ()))
    return figure(text, Query(queries.burn_rate(ledger, slo, HOUR)), steps=steps, decimals=1, none=_UNSEEN)


def _coverage(slo: Objective, ledger: Ledger) -> stat.Panel:
    description = (
        f"The part of {current_window_in_words(slo)} that was really seen: entries written, times targets "
        "that answered. Low on young SLOs and after failed scrapes; what was not seen is in no other figure."
    )
    text = Text(f"{slo.name}: coverage", description, "percentunit")
    return figure(text, Query(queries.coverage(ledger)), steps=COVERAGE_STEPS, decimals=1, none=_UNSEEN)


def _burn_down(slo: Objective, ledger: Ledger) -> timeseries.Panel:
    recovers = (
        "recovers as they leave the window" if slo.calendar is None else f"is whole again with each {slo.calendar.unit}"
    )
    description = (
        f"The budget remaining over its whole window of {own_window_in_words(slo)}, whatever the dashboard's time "
        f"range. It falls with bad events and {recovers}; below the dashed line it is overspent."
    )
    text = Text(f"{slo.name}: budget burn-down", description, "percentunit")
    lines = [Query(queries.budget_remaining(ledger), "budget remaining")]
    return graph(text, lines, lines=((0, BAD),), maximum=1).time_from(str(slo.window))


def _forecast(slo: Objective, ledger: Ledger) -> stat.Panel:
    """What will be left, for each horizon within the SLO's own window."""
    ahead = [horizon for horizon in _HORIZONS if horizon <= slo.window] or [slo.window]
    recovers = (
        "what leaves the window meanwhile comes back, so it will rather be more"
        if slo.calendar is None
        else f"with the next {slo.calendar.unit} it is whole again"
    )
    description = (
        "The budget that remains if every day is like the last one: below 0 it will be overspent. What recovers is "
        f"left out: {recovers}."
    )
    lines = [Query(queries.remaining_after(ledger, slo, horizon, DAY), f"in {horizon}") for horizon in ahead]
    text = Text(f"{slo.name}: budget forecast", description, "percentunit")
    return figures(text, lines, steps=BUDGET_STEPS, decimals=0, none="nothing was seen a day ago")


def _traffic_in_words(slo: Objective) -> str:
    if slo.calendar is None:
        return current_window_in_words(slo)
    return f"{current_window_in_words(slo)}, to come as is usual"


def _burn_rates(slo: Objective, ledger: Ledger) -> timeseries.Panel:
    tiers = _tiers(slo)
    words = "; ".join(
        f"{'page' if tier.severity is AlertSeverity.CRITICAL else 'ticket'} above {tier.factor(slo.window):g} "
        f"over {tier.long} and {tier.short}"
        for tier in tiers
    )
    description = (
        "How many times as fast as the objective allows the budget burns. Dashed: the alerts' thresholds"
        f"{f' ({words})' if words else ''}. An alert also wants evidence: at least {slo.alerting.min_bad_events} "
        "bad events, and more than chance explains; depending on its mode it counts budget spent, not this ratio."
    )
    windows = sorted({window for tier in tiers for window in (tier.long, tier.short)}) or [HOUR]
    lines = [Query(queries.burn_rate(ledger, slo, window), str(window)) for window in windows]
    steps = sorted({tier.factor(slo.window): _COLORS[tier.severity] for tier in reversed(tiers)}.items())
    highest = steps[-1][0] if steps else 1
    return graph(Text(f"{slo.name}: burn rates", description, BURN_UNIT), lines, lines=steps, maximum=highest * 1.2)


def _events(slo: Objective, ledger: Ledger) -> timeseries.Panel:
    description = (
        "Events per minute as the ledger counted them, and the bad ones (right axis): the only input of every other "
        "figure of this SLO."
    )

    def per_minute(name: str) -> Expr:
        return Call("avg_over_time", (ledger.series(name).over(RATE_INTERVAL),))

    lines = [
        Query(per_minute(series.EVENTS_ENTRY), "events"),
        Query(per_minute(series.BAD_EVENTS_ENTRY), "bad events"),
    ]
    bad_looks = [model.DynamicConfigValue("custom.axisPlacement", "right"), fixed_color(BAD)]
    return graph(Text(f"{slo.name}: events", description, "cpm"), lines).override_by_name("bad events", bad_looks)


def _tiers(slo: Objective) -> list[BurnTier]:
    """Those that can fire; the others have no alert."""
    return [tier for tier in slo.alerting.tiers if is_feasible(slo, tier)]
