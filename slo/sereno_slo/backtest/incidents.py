"""Incidents that people remember, and which of them pages found."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from statistics import median
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sereno_slo.backtest.notices import Kind, Notice
from sereno_slo.diagnostics import Diagnostic, Severity
from sereno_slo.parse import parse_as
from sereno_slo.parse.words import mistake
from sereno_slo.parse.yaml_tree import YamlTree
from sereno_slo.source import SourceFile

AFTERGLOW_MS = 10 * 60_000
"""A page that begins so soon after an incident's end is its page."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A known incident; `slo` is empty where it is one for every SLO of the spec."""

    begin_ms: int
    end_ms: int
    note: str
    slo: str


@dataclass(frozen=True, slots=True)
class Judged:
    """Pages against known incidents."""

    pages: int
    unmatched: tuple[Notice, ...]
    """Pages that belong to no incident."""
    incidents: int
    missed: tuple[Incident, ...]
    detection_minutes: tuple[float, ...]
    """Of each incident that was found: from its begin to the first page, 0 where somebody was paged already."""

    @property
    def precision(self) -> float | None:
        """The part of the pages that belong to an incident; None without pages."""
        return None if not self.pages else 1 - len(self.unmatched) / self.pages

    @property
    def recall(self) -> float | None:
        """The part of the incidents that were paged; None without incidents."""
        return None if not self.incidents else 1 - len(self.missed) / self.incidents

    @property
    def detection_median_minutes(self) -> float | None:
        """The middle one; None where none was found."""
        return median(self.detection_minutes) if self.detection_minutes else None

    @property
    def detection_worst_minutes(self) -> float | None:
        """The longest one; None where none was found."""
        return max(self.detection_minutes, default=None)


def judged(notices: Iterable[Notice], incidents: Sequence[Incident]) -> Judged:
    """Pages belong to an incident that they overlap, or that ended up to ten minutes before they began."""
    pages = [notice for notice in notices if notice.kind is Kind.PAGE]
    first = [next((page for page in pages if _meets(page, incident)), None) for incident in incidents]
    pairs = list(zip(incidents, first, strict=True))
    return Judged(
        pages=len(pages),
        unmatched=tuple(page for page in pages if not any(_meets(page, incident) for incident in incidents)),
        incidents=len(incidents),
        missed=tuple(incident for incident, page in pairs if page is None),
        detection_minutes=tuple(
            max(0, page.begin_ms - incident.begin_ms) / 60_000 for incident, page in pairs if page is not None
        ),
    )


def _meets(page: Notice, incident: Incident) -> bool:
    return page.begin_ms < incident.end_ms + AFTERGLOW_MS and page.end_ms > incident.begin_ms


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise mistake("SLO090", f"{text!r} is no time", "write it like 2026-11-20T10:00:00Z") from None
    if moment.tzinfo is None:
        raise mistake("SLO090", f"{text!r} has no time zone", f"write {moment.isoformat()}Z for UTC")
    return text


_MomentText = Annotated[str, AfterValidator(_moment)]


class IncidentDocument(BaseModel):
    """One incident."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    begin: _MomentText = Field(alias="from", examples=["2026-11-20T10:00:00Z"])
    end: _MomentText = Field(alias="to", examples=["2026-11-20T11:30:00Z"])
    note: str = Field("", examples=["database full"])
    slo: str = Field("", examples=["availability"])


class IncidentsDocument(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    incidents: list[IncidentDocument] = Field(examples=['[{from: "2026-11-20T10:00:00Z", to: "2026-11-20T11:30:00Z"}]'])


def read_incidents(
    source: SourceFile, slos: Sequence[str], begin_ms: int, end_ms: int
) -> tuple[tuple[Incident, ...], tuple[Diagnostic, ...]]:
    """The incidents of a file that lie within the period, and every mistake.

    `slos` are the names of the SLOs that incidents may be of.
    """
    parsed = parse_as(source, IncidentsDocument)
    if parsed.document is None or parsed.tree is None:
        return (), parsed.diagnostics
    incidents, diagnostics = [], [*parsed.diagnostics]
    for place, document in enumerate(parsed.document.incidents):
        incident = Incident(_milliseconds(document.begin), _milliseconds(document.end), document.note, document.slo)
        found = list(_mistakes(incident, parsed.tree, place, slos, (begin_ms, end_ms)))
        diagnostics += found
        if not found:
            incidents.append(incident)
    return tuple(incidents), tuple(diagnostics)


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _mistakes(
    incident: Incident, tree: YamlTree, place: int, slos: Sequence[str], period: tuple[int, int]
) -> Iterator[Diagnostic]:
    here = ("incidents", place)
    if incident.end_ms <= incident.begin_ms:
        message = "the incident ends before it begins"
        yield Diagnostic("SLO091", tree.span((*here, "to")), message, "write a time after `from`")
    if incident.slo and incident.slo not in slos:
        near = get_close_matches(incident.slo, slos, n=1)
        cure = f"did you mean {near[0]}?" if near else f"there is {', '.join(slos)}"
        yield Diagnostic("SLO092", tree.span((*here, "slo")), f"the spec has no SLO {incident.slo}", cure)
    if incident.begin_ms < period[0] or incident.end_ms > period[1]:
        message = f"the incident doesn't lie within {_written(period[0])} to {_written(period[1])}, which are replayed"
        cure = "choose --days and --to so that they hold it; it is left out"
        yield Diagnostic("SLO093", tree.span((*here, "from")), message, cure, Severity.WARNING)


def _written(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
