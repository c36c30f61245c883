"""Rules of a dashboard as a whole: its name, its variables, how its panels stand to each other."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

import promql_parser
from sereno_backends.grafana import Dashboard, Panel, Variable

from sereno_slo.dashboards_check.finding import Problem
from sereno_slo.dashboards_check.panels import is_chosen
from sereno_slo.dashboards_check.queries import ready_to_parse, variables_in
from sereno_slo.promql.parsing import parse

_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
LABEL_VALUES = re.compile(r"\s*label_values\(\s*(?:(?P<selector>.+),)?\s*(?P<label>\w+)\s*\)\s*", re.DOTALL)
QUERY_RESULT = re.compile(r"\s*query_result\((?P<query>.+)\)\s*", re.DOTALL)


def dashboard_problems(dashboard: Dashboard, raw: str) -> Iterator[Problem]:
    """Everything that is wrong with it but for its panels; `raw` is its whole text, in which variables are used."""
    if not _UID.fullmatch(dashboard.uid):
        message = f"its uid is {dashboard.uid!r}" if dashboard.uid else "it has no uid"
        yield Problem("DASH002", message, "give it up to 40 letters, digits, - and _ that never change")
    if not dashboard.title:
        yield Problem("DASH003", "it has no title", "give it one that no other dashboard has")
    if dashboard.is_editable:
        yield Problem("DASH007", "it can be edited in Grafana", 'set "editable": false')
    sources = [variable for variable in dashboard.variables if variable.kind == "datasource"]
    asking = [panel for panel in dashboard.data_panels if panel.targets]
    if asking and not sources:
        yield Problem("DASH004", "no variable chooses its data source", "add one of the type datasource")
    for variable in sources:
        if not variable.label:
            yield Problem("DASH004", f"the variable {variable.name} has no label", 'call it "Data source"')
    for variable in dashboard.variables:
        yield from _variable(dashboard, variable, raw)


def _variable(dashboard: Dashboard, variable: Variable, raw: str) -> Iterator[Problem]:
    if variable.name not in set(variables_in(raw)) and variable.kind != "adhoc":
        yield Problem("DASH008", f"nothing uses the variable {variable.name}", f"use ${variable.name}, or take it out")
    if variable.kind != "query":
        return
    if not variable.follows_time:
        message = f"the variable {variable.name} is asked for once"
        yield Problem("DASH005", message, "refresh it on time range change (refresh: 2)")
    if not is_chosen(dashboard, variable.datasource):
        message = f"the variable {variable.name} asks another data source than is chosen"
        yield Problem("DASH006", message, "let it be that of the variable: ${datasource}")
    if variable.datasource is None or variable.datasource.kind in {"", "prometheus"}:
        yield from _variables_query(dashboard, variable)


def _variables_query(dashboard: Dashboard, variable: Variable) -> Iterator[Problem]:
    text = ready_to_parse(dashboard, variable.query)
    labels, result = LABEL_VALUES.fullmatch(text), QUERY_RESULT.fullmatch(text)
    if labels is None and result is None:
        message = f"the variable {variable.name} asks {variable.query!r}"
        yield Problem("DASH006", message, "write label_values(metric{…}, label) or query_result(…)")
        return
    query = labels["selector"] if labels is not None else result["query"] if result is not None else None
    if query is None:
        return
    try:
        parsed = parse(query)
    except ValueError as error:
        message = f"the variable {variable.name} asks what is no PromQL: {error}"
        yield Problem("DASH006", message, "try its selector in Prometheus")
        return
    if labels is not None and not isinstance(parsed, promql_parser.VectorSelector):
        message = f"the variable {variable.name} asks for labels of an expression, which no server answers"
        yield Problem("DASH006", message, 'write one selector, of several metrics {__name__=~"a|b"}')


def panels_together(panels: Sequence[Panel]) -> Iterator[tuple[Panel, Problem]]:
    """What is wrong with panels beside each other."""
    for panel in panels:
        if panel.id is None:
            yield panel, Problem("DASH009", "it has no id", "give it a number that never changes")
    for one, other in combinations(panels, 2):
        if one.id is not None and one.id == other.id:
            yield other, Problem("DASH009", f"its id {one.id} is that of {one.title!r}, too", "give it one of its own")
        if one.grid is not None and other.grid is not None and one.grid.overlaps(other.grid):
            yield other, Problem("DASH015", f"it lies over {one.title!r}", "move it down or aside")
