"""Whether every panel has data: each query asked, what is empty told, with its reason where there is one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sereno_backends.grafana import Dashboard, Panel, Target, filled_in
from sereno_backends.logs import LogStoreRefused
from sereno_backends.prometheus import PrometheusIncomplete, PrometheusRefused

from sereno_slo.dashboards_check.asking import Servers, Variables, ask_for_variables, asks_documents, has_data
from sereno_slo.dashboards_check.panels import WITHOUT_QUERIES
from sereno_slo.dashboards_check.reasons import Reasons
from sereno_slo.diagnostics import on_one_line


@dataclass(frozen=True, slots=True)
class Empty:
    """A query that answered with nothing, or was refused."""

    panel: str
    ref_id: str
    query: str
    """As it was asked."""
    reason: str | None
    """Why that is good; None where it isn't."""
    refusal: str = ""
    """What the server said against it; that is never good."""

    @property
    def is_good(self) -> bool:
        """Whether nobody has to look."""
        return self.reason is not None and not self.refusal

    def __str__(self) -> str:
        """`panel "Calls": query A is empty: rate(…)`."""
        said = f"was refused: {self.refusal}" if self.refusal else "is empty"
        why = f" (good: {self.reason})" if self.is_good else ""
        return on_one_line(f'panel "{self.panel}": query {self.ref_id} {said}{why}: {self.query}')


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of one dashboard."""

    path: str
    dashboard: Dashboard
    asked: int
    empty: tuple[Empty, ...]
    unasked: int
    """Queries for Elasticsearch where none was named, or for what is neither."""
    is_subject_there: bool
    """Whether its first variable has anything to choose."""

    @property
    def is_absent(self) -> bool:
        """Whether nothing of it is on the server: it shows what isn't there at all."""
        if any(each.refusal for each in self.empty):
            return False
        return not self.is_subject_there or (bool(self.asked) and len(self.empty) == self.asked)


def look(
    servers: Servers,
    dashboards: Sequence[tuple[str, Dashboard]],
    reasons: Reasons,
    *,
    chosen: Mapping[str, str],
    begin: Callable[[str], None] = lambda _: None,
) -> Iterator[Looked]:
    """Ask every query of every dashboard; `chosen` are values of variables, `begin` is told which one is next."""
    for path, dashboard in dashboards:
        begin(dashboard.title)
        yield _looked(servers, path, dashboard, reasons, ask_for_variables(servers, dashboard, chosen))


def _looked(servers: Servers, path: str, dashboard: Dashboard, reasons: Reasons, variables: Variables) -> Looked:
    empty: list[Empty] = []
    asked = unasked = 0
    for panel, target in _queries(dashboard):
        if not target.expr and (servers.documents is None or not asks_documents(target, panel)):
            unasked += 1
            continue
        asked += 1
        refusal = ""
        try:
            if has_data(servers, dashboard, panel, target, variables.values):
                continue
        except (PrometheusRefused, PrometheusIncomplete, LogStoreRefused) as error:
            refusal = str(error)
        query = filled_in(target.expr or target.query, variables.values)
        empty.append(Empty(panel.title, target.ref_id, query, reasons.of(dashboard, panel.title), refusal))
    return Looked(path, dashboard, asked, tuple(empty), unasked, variables.is_subject_there)


def _queries(dashboard: Dashboard) -> Iterator[tuple[Panel, Target]]:
    for panel in dashboard.data_panels:
        if panel.type not in WITHOUT_QUERIES:
            yield from ((panel, target) for target in panel.targets if not target.is_hidden)
