"""Rules of single panels: what they say, where they stand, how they colour."""

from collections.abc import Iterator

from grafana_foundation_sdk.models import units
from sereno_backends.grafana import Dashboard, DataSource, Panel, Thresholds

from sereno_slo.dashboards_check.colours import confusable
from sereno_slo.dashboards_check.finding import Problem
from sereno_slo.dashboards_check.queries import query_problems, variables_in

COLUMNS = 24
WITHOUT_QUERIES = frozenset({"row", "text", "news", "dashlist", "alertlist", "annolist", "welcome"})
_FIGURES = frozenset({"stat", "gauge", "bargauge", "table"})
"""Where nothing at all is drawn if there is no number; graphs say themselves that they have no data."""
_WITH_UNITS = frozenset({"stat", "gauge", "bargauge", "table", "timeseries", "barchart", "piechart", "histogram"})
_UNITS = frozenset(unit for name, unit in vars(units).items() if not name.startswith("_") and isinstance(unit, str))
_OWN_UNITS = ("suffix:", "prefix:", "time:", "si:", "count:", "currency:", "bool:")
_GRAFANAS_OWN = frozenset(
    {"-- Mixed --", "-- Dashboard --", "-- Grafana --", "grafana", "mixed", "dashboard", "datasource"}
)


def panel_problems(dashboard: Dashboard, panel: Panel) -> Iterator[Problem]:
    """Everything that is wrong with a panel by itself."""
    yield from _place(panel)
    if not panel.title:
        yield Problem("DASH011", f"the {panel.type} panel {panel.id} has no title", "say in a few words what it shows")
    if panel.is_row:
        return
    if not panel.description and panel.type != "text":
        yield Problem("DASH012", "it has no description", "say what is counted, and what to think of it")
    if panel.type not in WITHOUT_QUERIES:
        yield from _datasources(dashboard, panel)
        yield from _targets(dashboard, panel)
    yield from _unit(panel)
    if panel.type in _FIGURES and not panel.no_value:
        yield Problem("DASH016", "nothing is said where there is no data", "set noValue: what does it mean then?")
    yield from _colours(panel)


def _place(panel: Panel) -> Iterator[Problem]:
    if panel.grid is None:
        yield Problem("DASH014", "it has no place", "give it a gridPos")
    elif panel.grid.x + panel.grid.width > COLUMNS:
        reach = panel.grid.x + panel.grid.width
        yield Problem("DASH014", f"it reaches to column {reach}", f"let it end within {COLUMNS}")


def _datasources(dashboard: Dashboard, panel: Panel) -> Iterator[Problem]:
    own = [] if panel.datasource is None and all(target.datasource for target in panel.targets) else [panel.datasource]
    for source in dict.fromkeys((*own, *(target.datasource for target in panel.targets if target.datasource))):
        if not is_chosen(dashboard, source):
            asked = "none" if source is None else repr(source.uid)
            yield Problem("DASH010", f"its data source is {asked}", "let it be that of the variable: ${datasource}")


def is_chosen(dashboard: Dashboard, source: DataSource | None) -> bool:
    """Whether a data source is that of a variable, or one of Grafana's own."""
    if source is None:
        return False
    if source.uid in _GRAFANAS_OWN:
        return True
    named = set(variables_in(source.uid))
    return bool(named) and all(
        (variable := dashboard.variable(name)) is not None and variable.kind == "datasource" for name in named
    )


def _targets(dashboard: Dashboard, panel: Panel) -> Iterator[Problem]:
    if not panel.targets:
        yield Problem("DASH018", "it asks for nothing", "give it a query, or make it a text")
    names = [target.ref_id for target in panel.targets]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield Problem("DASH018", f"several of its queries are called {name}", "name them A, B, C, …")
    for target in panel.targets:
        if target.expr:
            yield from query_problems(dashboard, panel, target)
        elif _kind(panel.datasource, target.datasource) == "prometheus":
            yield Problem("DASH018", f"query {target.ref_id} is empty", "write one, or take it out")


def _kind(*sources: DataSource | None) -> str:
    return next((source.kind for source in reversed(sources) if source is not None), "")


def _unit(panel: Panel) -> Iterator[Problem]:
    if panel.type not in _WITH_UNITS or panel.mappings or _shows_texts(panel):
        return
    overridden = [one.value for each in panel.overrides for one in each.properties if one.id == "unit"]
    for unit in dict.fromkeys((panel.unit, *map(str, overridden))):
        if not unit:
            yield Problem("DASH013", "its numbers have no unit", "choose one: short, percentunit, s, suffix:…")
        elif unit not in _UNITS and not unit.startswith(_OWN_UNITS):
            yield Problem("DASH013", f"Grafana knows no unit {unit!r}", f"choose another, or write suffix: {unit}")


def _shows_texts(panel: Panel) -> bool:
    """Whether a figure shows labels, not numbers."""
    reduced = panel.options.get("reduceOptions")
    return panel.options.get("textMode") == "name" or (isinstance(reduced, dict) and bool(reduced.get("fields")))


def _colours(panel: Panel) -> Iterator[Problem]:
    palettes = [_steps(panel.thresholds), [each.color for each in panel.mappings if each.color and not each.text]]
    for override in panel.overrides:
        for each in override.properties:
            if each.id == "thresholds" and isinstance(each.value, dict):
                steps = each.value.get("steps")
                palettes.append([str(step.get("color")) for step in steps or () if isinstance(step, dict)])
    for one, other in dict.fromkeys(pair for palette in palettes for pair in confusable(palette)):
        message = f"people who are red-green blind see {one} and {other} as one colour"
        yield Problem("DASH017", message, "blue, orange and red are told apart by all")


def _steps(thresholds: Thresholds | None) -> list[str]:
    return [] if thresholds is None else [step.color for step in thresholds.steps]
