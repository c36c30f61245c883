"""All rules over all dashboards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sereno_backends.grafana import Dashboard, DashboardInvalid, read_dashboard

from sereno_slo.dashboards_check.finding import Finding, Problem
from sereno_slo.dashboards_check.panels import panel_problems
from sereno_slo.dashboards_check.whole import dashboard_problems, panels_together


@dataclass(frozen=True, slots=True)
class Document:
    """A dashboard's file."""

    path: str
    """As messages call it."""
    text: str


def lint(documents: Sequence[Document]) -> tuple[Finding, ...]:
    """What is wrong with dashboards, each by itself and among the others; file by file, the whole before its panels."""
    read: list[tuple[Document, Dashboard]] = []
    findings: list[Finding] = []
    for document in documents:
        try:
            read.append((document, read_dashboard(document.text)))
        except DashboardInvalid as error:
            problem = Problem("DASH001", str(error), "export it from Grafana anew, or compile it anew")
            findings.append(_finding(document.path, problem))
    findings += _alike(read)
    for document, dashboard in read:
        findings += _of_one(document, dashboard)
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: (finding.path, bool(finding.panel))))


def _of_one(document: Document, dashboard: Dashboard) -> Iterator[Finding]:
    for problem in dashboard_problems(dashboard, document.text):
        yield _finding(document.path, problem)
    for panel in dashboard.panels:
        for problem in panel_problems(dashboard, panel):
            yield _finding(document.path, problem, panel.title)
    for panel, problem in panels_together(dashboard.panels):
        yield _finding(document.path, problem, panel.title)


def _alike(read: Sequence[tuple[Document, Dashboard]]) -> Iterator[Finding]:
    """Grafana keeps one dashboard of each uid, and lets one win that has another's."""
    uids: dict[str, str] = {}
    titles: dict[str, str] = {}
    for document, dashboard in read:
        first = uids.setdefault(dashboard.uid, document.path)
        if dashboard.uid and first != document.path:
            problem = Problem("DASH002", f"its uid {dashboard.uid} is that of {first}, too", "give it one of its own")
            yield _finding(document.path, problem)
        first = titles.setdefault(dashboard.title, document.path)
        if dashboard.title and first != document.path:
            problem = Problem("DASH003", f"its title {dashboard.title!r} is that of {first}, too", "call it otherwise")
            yield _finding(document.path, problem)


def _finding(path: str, problem: Problem, panel: str = "") -> Finding:
    return Finding(path, panel, problem.code, problem.message, problem.cure)
