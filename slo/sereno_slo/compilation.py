"""The main path: from sources to artefacts, with every mistake on the way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sereno_slo.diagnostics import Diagnostic, Span, has_errors, in_reading_order
from sereno_slo.model import Service, Settings
from sereno_slo.parse import parse_settings, parse_spec
from sereno_slo.render.artefact import Artefact
from sereno_slo.render.layout import FOLDER, Layout
from sereno_slo.source import SourceFile
from sereno_slo.validate import service_of, settings_of, structural_mistakes
from sereno_slo.validate.structure import structural_mistakes_of_settings


@dataclass(frozen=True, slots=True)
class Validation:
    """What the specs mean. With errors among the diagnostics there may be fewer services than specs."""

    services: tuple[Service, ...]
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Compilation:
    """The files to write; none where the diagnostics hold an error."""

    artefacts: tuple[Artefact, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_settings(source: SourceFile | None) -> tuple[Settings, tuple[Diagnostic, ...]]:
    """The settings of a `sereno.yaml`, or the defaults; with errors the settings must not be used."""
    if source is None:
        return settings_of(None), ()
    parsed = parse_settings(source)
    structural = structural_mistakes_of_settings(parsed.tree) if parsed.tree else ()
    return settings_of(parsed.document), in_reading_order((*parsed.diagnostics, *structural))


def validate_specs(sources: Sequence[SourceFile], settings: Settings) -> Validation:
    """Everything up to rendering: the services, and all mistakes of all specs in reading order."""
    services: list[Service] = []
    diagnostics: list[Diagnostic] = []
    for source in sources:
        parsed = parse_spec(source)
        mistakes = [*parsed.diagnostics, *(structural_mistakes(parsed.tree) if parsed.tree else ())]
        if parsed.document is not None and parsed.tree is not None and not has_errors(mistakes):
            service, warnings = service_of(parsed.document, parsed.tree, settings, origin=source.origin)
            mistakes += (*warnings, *_described_before(service, services, parsed.tree.span(("service",))))
            services.append(service)
        diagnostics += mistakes
    return Validation(tuple(services), in_reading_order(diagnostics))


def compile_specs(sources: Sequence[SourceFile], settings: Settings, layout: Layout = FOLDER) -> Compilation:
    """All artefacts of the specs, deterministic: the same specs give the same bytes."""
    validation = validate_specs(sources, settings)
    if has_errors(validation.diagnostics):
        return Compilation((), validation.diagnostics)
    artefacts, warnings = render_all(validation.services, settings, layout)
    return Compilation(artefacts, in_reading_order((*validation.diagnostics, *warnings)))


def render_all(
    services: Sequence[Service], settings: Settings, layout: Layout
) -> tuple[tuple[Artefact, ...], tuple[Diagnostic, ...]]:
    """Every kind of artefact for the services."""
    # Imported here: `sereno validate` needs neither jinja2 nor the dashboard SDK.
    from sereno_slo.render.buckets import render_buckets
    from sereno_slo.render.dashboards import render_dashboards
    from sereno_slo.render.postmortem_template import render_postmortem_template
    from sereno_slo.render.prometheus_rules import render_rules
    from sereno_slo.render.promtool import render_behaviour_tests
    from sereno_slo.render.runbooks import render_runbooks

    artefacts: list[Artefact] = []
    warnings: list[Diagnostic] = []
    for service in services:
        artefacts.append(render_rules(service, settings))
        tests, problems = render_behaviour_tests(service, settings, layout)
        artefacts += tests
        warnings += problems
    artefacts += render_dashboards(services, settings)
    artefacts += render_runbooks(services, settings)
    artefacts.append(render_postmortem_template(services, settings))
    artefacts += render_buckets(services, settings)
    return tuple(artefacts), tuple(warnings)


def _described_before(service: Service, services: Iterable[Service], span: Span) -> Iterable[Diagnostic]:
    for other in services:
        if other.name == service.name:
            message = f"{service.name} is described by {other.path}, too"
            yield Diagnostic("SLO016", span, message, "put all SLOs of a service into one file")
