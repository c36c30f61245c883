"""The panels of any SLO, from recorded series alone: neither its objective nor its window is known when compiling."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from grafana_foundation_sdk.builders import statetimeline
from grafana_foundation_sdk.models import dashboard as model

from sereno_slo.duration import Duration
from sereno_slo.model import Settings, SloReference
from sereno_slo.plan import series
from sereno_slo.plan.dependencies import burn_rate, ledger_of
from sereno_slo.plan.series import MINUTE_WINDOWS, ROLL_UP_WINDOWS, SLO_LABELS, Ledger, patient
from sereno_slo.plan.windows import BUDGETED_EVENTS
from sereno_slo.promql import Call, Expr, Matcher, Selector, any_of
from sereno_slo.render import queries
from sereno_slo.render.dashboards.layout import PanelBuilder
from sereno_slo.render.dashboards.panels import (
    BAD,
    BUDGET_STEPS,
    BURN_UNIT,
    COVERAGE_STEPS,
    DATASOURCE,
    GOOD,
    RATE_INTERVAL,
    WARNING,
    Query,
    Text,
    by_thresholds,
    figure,
    figures,
    fixed_color,
    graph,
    target,
    thresholds,
)
from sereno_slo.render.dashboards.tables import Column, ranked
from sereno_slo.render.dashboards.watched import Watched

_HOUR, _DAY = Duration.parse("1h"), Duration.parse("1d")
_HORIZONS = tuple(map(Duration.parse, ("1d", "3d", "7d")))
# Each SLO that depends on others makes the query of their states longer; Prometheus takes a megabyte, browsers less.
_MOST_DEPENDING = 100
_RATIO = "percentunit"
_UNSEEN = "nothing recorded: choose a service and an SLO"


def _objective(ledger: Ledger) -> Expr:
    return ledger.series(series.OBJECTIVE)


def _burn(ledger: Ledger, window: Duration) -> Expr:
    return ledger.figure("error_ratio", window) / (1 - _objective(ledger))


def figures_of_now(ledger: Ledger) -> tuple[PanelBuilder, ...]:
    """The state of the SLO in seven numbers."""
    return (*_of_budget(ledger), *_of_now(ledger))


def _of_budget(ledger: Ledger) -> tuple[PanelBuilder, ...]:
    budgeted = any_of(*(patient(ledger.series(name)) for name in BUDGETED_EVENTS))
    left = queries.budget_remaining(ledger) * ((1 - _objective(ledger)) * budgeted)
    level = queries.service_level(ledger)
    window = Text("Window", "How long the window is that the objective is for; calendar windows differ in length.", "s")
    return (
        figure(
            Text("Budget remaining", "What is left of the error budget: 100 % untouched, below 0 overspent.", _RATIO),
            Query(queries.budget_remaining(ledger)),
            steps=BUDGET_STEPS,
            decimals=1,
            none=_UNSEEN,
        ),
        figures(
            Text("Service level", "Good events of all events in the SLO's own window, and what was promised.", _RATIO),
            (Query(level, "is"), Query(_objective(ledger), "objective")),
            steps=((None, GOOD),),
            decimals=3,
            none=_UNSEEN,
        ),
        figure(window, Query(patient(ledger.series(series.WINDOW))), none=_UNSEEN),
        figure(
            Text(
                "Bad events left",
                "How many more events may be bad before the objective is missed, at the traffic of its window. "
                "Below 0: how many too many there were.",
                "locale",
            ),
            Query(left),
            steps=((None, BAD), (0, GOOD)),
            decimals=0,
            none=_UNSEEN,
        ),
    )


def _of_now(ledger: Ledger) -> tuple[PanelBuilder, ...]:
    return (
        figure(
            Text(
                "Budget gone in, 1d pace",
                "When the budget is spent if every day is like the last one; what recovers meanwhile is left out. "
                "The service's dashboard goes by the last hour.",
                "s",
            ),
            Query(
                queries.gone_in_seconds(patient(ledger.series(series.EXHAUSTED_IN)), queries.budget_remaining(ledger))
            ),
            steps=((None, BAD), (_DAY.seconds, WARNING), (7 * _DAY.seconds, GOOD)),
            decimals=1,
            none=_UNSEEN,
        ).mappings(
            [
                model.ValueMap(
                    {
                        "0": model.ValueMappingResult(text="spent", color=BAD),
                        str(queries.NEVER_SECONDS): model.ValueMappingResult(text="not in sight", color=GOOD),
                    }
                )
            ]
        ),
        figure(
            Text(
                "Burn rate, 1h",
                "Bad events of the last hour as a multiple of what the objective allows: at 1 the budget lasts exactly "
                "its window.",
                BURN_UNIT,
            ),
            Query(_burn(ledger, _HOUR)),
            steps=((None, GOOD), (1, WARNING), (14.4, BAD)),
            decimals=1,
            none="no events",
        ),
        figure(
            Text(
                "Coverage",
                "The part of the window that was really seen; what was not seen is in no other figure.",
                _RATIO,
            ),
            Query(queries.coverage(ledger)),
            steps=COVERAGE_STEPS,
            decimals=1,
            none=_UNSEEN,
        ),
    )


def budget_over_time(ledger: Ledger, settings: Settings) -> tuple[PanelBuilder, ...]:
    """Where the budget comes from, where it goes, and how fast."""
    down = (
        f"The budget remaining over {settings.window}, whatever the dashboard's time range. It falls with bad events "
        "and recovers as they leave the window, or when a calendar's window begins; below the dashed line it is "
        "overspent."
    )
    forecast = (
        "The budget that remains if every day is like the last one: below 0 it will be overspent. What recovers "
        "meanwhile, as bad events leave the window or a calendar's window begins, is left out."
    )
    rates = (
        "How many times as fast as the objective allows the budget burns, over all windows that are recorded. "
        "Above the dashed line it doesn't last. The service's dashboard has the thresholds of this SLO's alerts."
    )
    pace = _burn(ledger, _DAY) / patient(ledger.series(series.WINDOW))
    left = {horizon: queries.budget_remaining(ledger) - pace * horizon.seconds for horizon in _HORIZONS}
    ahead = [Query(queries.if_seen_ago(expr, ledger, _DAY), f"in {horizon}") for horizon, expr in left.items()]
    burning = [Query(_burn(ledger, window), str(window)) for window in (*MINUTE_WINDOWS, *ROLL_UP_WINDOWS)]
    return (
        graph(
            Text("Budget burn-down", down, _RATIO),
            [Query(queries.budget_remaining(ledger), "budget remaining")],
            lines=((0, BAD),),
            maximum=1,
            none=_UNSEEN,
        ).time_from(str(settings.window)),
        figures(
            Text("Budget forecast", forecast, _RATIO),
            ahead,
            steps=BUDGET_STEPS,
            decimals=0,
            none="nothing was seen a day ago",
        ),
        graph(Text("Burn rates", rates, BURN_UNIT), burning, lines=((1, WARNING),), maximum=1.2),
    )


def counted(ledger: Ledger) -> tuple[PanelBuilder, ...]:
    """What was counted, and how much was seen."""

    def per_minute(name: str) -> Expr:
        return Call("avg_over_time", (ledger.series(name).over(RATE_INTERVAL),))

    events = "Events per minute as the ledger counted them, and the bad ones (right axis)."
    seen = "The part of the window that was really seen. It grows while an SLO is young and falls with failed scrapes."
    on_the_right = [model.DynamicConfigValue("custom.axisPlacement", "right"), fixed_color(BAD)]
    return (
        graph(
            Text("Events", events, "cpm"),
            [
                Query(per_minute(series.EVENTS_ENTRY), "events"),
                Query(per_minute(series.BAD_EVENTS_ENTRY), "bad events"),
            ],
        ).override_by_name("bad events", on_the_right),
        graph(Text("Coverage over time", seen, _RATIO), [Query(queries.coverage(ledger), "coverage")], maximum=1),
    )


def when_it_mattered(ledger: Ledger) -> tuple[PanelBuilder, ...]:
    """When alerts fired, and when nothing counted."""
    return _alerts(ledger), _excluded(ledger)


def _alerts(ledger: Ledger) -> statetimeline.Panel:
    firing = Selector("ALERTS").where(alertstate="firing", **ledger.labels)
    return (
        statetimeline.Panel()
        .title("Alerts")
        .description("When which alert of this SLO fired: burn alerts by their long window, and the others by name.")
        .unit("short")
        .datasource(DATASOURCE)
        .interval("1m")
        .thresholds(thresholds(((None, BAD),)))
        .color_scheme(by_thresholds())
        .mappings([model.ValueMap({"1": model.ValueMappingResult(text="firing", color=BAD)})])
        .no_value("No alert of this SLO fired in this time")
        .with_target(target(Query(firing, "{{alertname}} {{severity}} {{burn}} {{long_window}}"), 0).range())
    )


def _excluded(ledger: Ledger) -> statetimeline.Panel:
    counts, excluded = (
        model.ValueMappingResult(text=text, color=color) for text, color in (("counts", GOOD), ("excluded", WARNING))
    )
    return (
        statetimeline.Panel()
        .title("Excluded time")
        .description("When this SLO's exclusions hold: what happens then is in no budget and pages nobody.")
        .unit("short")
        .datasource(DATASOURCE)
        .interval("1m")
        .thresholds(thresholds(((None, GOOD), (1, WARNING))))
        .color_scheme(by_thresholds())
        .mappings([model.ValueMap({"0": counts, "1": excluded})])
        .no_value("Nothing is excluded: all time counts")
        .with_target(target(Query(ledger.series(series.EXCLUDED), "time"), 0).range())
    )


def groups(ledger: Ledger, chosen: Sequence[Matcher]) -> tuple[PanelBuilder, ...]:
    """Each group as if it were an SLO of its own; SLOs without groups have none."""
    each = replace(ledger, group_labels=tuple(matcher.label for matcher in chosen), group=tuple(chosen))
    columns = {
        "Budget remaining": Column(queries.budget_remaining(each), _RATIO, 1, BUDGET_STEPS),
        "Error ratio": Column(queries.own_window(each, "error_ratio"), _RATIO, 3),
        "Bad events": Column(queries.own_window(each, "bad_events"), "locale", 0),
        "Events": Column(queries.own_window(each, "events"), "locale", 0),
    }
    description = "Every group as if it were an SLO of its own, over the SLO's window; the least budget first."
    table = ranked(
        Text("Budgets of groups", description, "short"),
        each.group_labels,
        columns,
        none="This SLO has no groups (group_by), or none of the chosen ones",
    )
    left_out = figure(
        Text(
            "Groups left out", "Groups without a budget of their own, because there are more than the limit.", "short"
        ),
        Query(queries.groups_left_out(ledger)),
        steps=((None, GOOD), (1, WARNING)),
        decimals=0,
        none="no groups",
    )
    return table, left_out


def dependencies(services: Sequence[Watched]) -> Iterator[PanelBuilder]:
    """The states of what the chosen SLO depends on, or passes through; no panel where no SLO does."""
    by_slo: dict[SloReference, list[SloReference]] = {}
    for service in services:
        for dependency in service.dependencies:
            by_slo.setdefault(dependency.slo, []).append(dependency.on)
    known = sorted(by_slo.items(), key=lambda entry: str(entry[0]))[:_MOST_DEPENDING]
    if not known:
        return
    columns = {
        "Budget remaining": Column(
            any_of(*(_if_chosen(slo, [queries.budget_remaining(ledger_of(one)) for one in on]) for slo, on in known)),
            _RATIO,
            1,
            BUDGET_STEPS,
        ),
        "Burn rate, 1h": Column(
            any_of(*(_if_chosen(slo, [burn_rate(one) for one in on]) for slo, on in known)),
            BURN_UNIT,
            1,
            ((None, GOOD), (1, WARNING)),
        ),
    }
    description = (
        "What this SLO can't hold without, or what a journey passes through. While one of these pages, this one's "
        "alerts are inhibited: look there first."
    )
    if len(by_slo) > len(known):
        description += f" Only the first {_MOST_DEPENDING} SLOs by name are known here."
    none = "This SLO depends on no other, or nothing is known of those"
    yield ranked(Text("Depends on", description, "short"), SLO_LABELS, columns, none=none)


def _if_chosen(slo: SloReference, exprs: Sequence[Expr]) -> Expr:
    """The expressions while this SLO is the chosen one, else nothing: a series can't have two names."""
    chosen = Selector(series.INFO).where(service=slo.service, slo=slo.slo).where(service="$service", slo="$slo")
    return any_of(*exprs).and_(chosen, on=())
