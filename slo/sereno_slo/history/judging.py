"""Specs judged by the traffic that a server saw: what each alert needs, and what stands in its way."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sereno_slo.diagnostics import Diagnostic, Span
from sereno_slo.history.asking import Asker
from sereno_slo.history.reading import Reader
from sereno_slo.history.surveying import survey_of
from sereno_slo.history.traffic import sighting_of
from sereno_slo.model import Service, ServiceLevelObjective, Settings
from sereno_slo.parse import parse_spec
from sereno_slo.parse.yaml_tree import YamlTree
from sereno_slo.plan.counting import target_of
from sereno_slo.promql import Selector
from sereno_slo.source import SourceFile
from sereno_slo.validate.feasibility import Feasibility, feasibility
from sereno_slo.validate.findings import findings_of_sighting, findings_of_traffic
from sereno_slo.validate.places import part_span, total_span
from sereno_slo.validate.selector_findings import findings_of_selectors
from sereno_slo.validate.series_findings import findings_of_series, findings_of_targets
from sereno_slo.validate.survey import Survey, TargetsSight
from sereno_slo.validate.traffic import Sighting


@dataclass(frozen=True, slots=True)
class Judgement:
    """One SLO beside its traffic and its series."""

    slo: ServiceLevelObjective
    sighting: Sighting
    survey: Survey
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
    asker = Asker(reader, now)
    for service, source in zip(services, sources, strict=True):
        tree = parse_spec(source).tree
        if tree is None:
            raise AssertionError(f"{service.path} was read before")
        told: set[tuple[str, TargetsSight]] = set()
        for index, slo in enumerate(service.slos):
            begin(f"{slo.service}/{slo.name}")
            sighting, survey = sighting_of(reader, slo, now), survey_of(asker, slo, settings)
            places = (total_span(slo, index, tree), part_span(slo, index, tree))
            of_targets = tuple(_of_targets(survey, settings, places, told))
            judgement = _judgement(slo, sighting, survey, settings, index=index, tree=tree)
            yield replace(judgement, diagnostics=(*judgement.diagnostics, *of_targets))


def _judgement(
    slo: ServiceLevelObjective, sighting: Sighting, survey: Survey, settings: Settings, *, index: int, tree: YamlTree
) -> Judgement:
    found = (
        *findings_of_sighting(slo, sighting, survey, index, tree),
        *findings_of_selectors(slo, survey, index, tree, was_seen=sighting.matches),
        *findings_of_series(slo, survey, index, tree),
    )
    if sighting.traffic is None:
        return Judgement(slo, sighting, survey, None, found)
    feasible = feasibility(slo, sighting.traffic, settings.evaluation_delay)
    return Judgement(slo, sighting, survey, feasible, (*found, *findings_of_traffic(feasible, index, tree)))


def _of_targets(
    survey: Survey, settings: Settings, places: tuple[Span, Span], told: set[tuple[str, TargetsSight]]
) -> Iterator[Diagnostic]:
    """Told once for all SLOs of a service that have the same targets; at the total and at its part."""
    for sight, span in zip((survey.targets, survey.part_targets), places, strict=True):
        if sight is None:
            continue
        key = str(target_of(sight.selector, "up", settings.identity_labels))
        same = (key, replace(sight, selector=Selector("")))
        if same not in told:
            told.add(same)
            yield from findings_of_targets(sight, settings, span)
