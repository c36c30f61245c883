"""Specs judged by the traffic that a server saw: what each alert needs, and what stands in its way."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sereno_slo.diagnostics import Diagnostic
from sereno_slo.history.reading import Reader
from sereno_slo.history.traffic import sighting_of
from sereno_slo.model import Service, ServiceLevelObjective, Settings
from sereno_slo.parse import parse_spec
from sereno_slo.parse.yaml_tree import YamlTree
from sereno_slo.source import SourceFile
from sereno_slo.validate.feasibility import Feasibility, feasibility
from sereno_slo.validate.findings import findings_of_sighting, findings_of_traffic
from sereno_slo.validate.traffic import Sighting


@dataclass(frozen=True, slots=True)
class Judgement:
    """One SLO beside its traffic."""

    slo: ServiceLevelObjective
    sighting: Sighting
    feasibility: Feasibility | None
    """None where no event was seen."""
    diagnostics: tuple[Diagnostic, ...]


def judged(
    reader: Reader,
    services: Sequence[Service],
    sources: Sequence[SourceFile],
    settings: Settings,
    *,
    now: datetime,
    begin: Callable[[str], None],
) -> Iterator[Judgement]:
    """Judge the services, which these sources describe without errors; `begin` is told which SLO is next.

    Every question may raise a `PrometheusError`.
    """
    for service, source in zip(services, sources, strict=True):
        tree = parse_spec(source).tree
        if tree is None:
            raise AssertionError(f"{service.path} was read before")
        for index, slo in enumerate(service.slos):
            begin(f"{slo.service}/{slo.name}")
            yield _judgement(slo, sighting_of(reader, slo, now), settings, index, tree)


def _judgement(
    slo: ServiceLevelObjective, sighting: Sighting, settings: Settings, index: int, tree: YamlTree
) -> Judgement:
    missing = tuple(findings_of_sighting(slo, sighting, index, tree))
    if sighting.traffic is None:
        return Judgement(slo, sighting, None, missing)
    feasible = feasibility(slo, sighting.traffic, settings.evaluation_delay)
    return Judgement(slo, sighting, feasible, (*missing, *findings_of_traffic(feasible, index, tree)))
