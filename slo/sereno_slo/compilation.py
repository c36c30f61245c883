"""The main path: from sources to artefacts, with every mistake on the way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sereno_slo.diagnostics import Diagnostic, has_errors, in_reading_order
from sereno_slo.model import Dependency, Neighbour, Service, Settings, SloReference, Standing
from sereno_slo.parse import parse_settings, parse_spec
from sereno_slo.parse.yaml_tree import YamlTree
from sereno_slo.render.artefact import ALL_KINDS, Artefact, Kind
from sereno_slo.render.layout import FOLDER, Layout
from sereno_slo.render.rule_format import RuleFormat
from sereno_slo.source import SourceFile
from sereno_slo.validate import service_of, settings_of, structural_mistakes
from sereno_slo.validate.description import Description, Mention, dependencies, described, standings
from sereno_slo.validate.references import Known, former_name_mistakes, reference_mistakes
from sereno_slo.validate.structure import structural_mistakes_of_settings


@dataclass(frozen=True, slots=True)
class ValidatedSpec:
    """What one spec means, by itself; no service where it has errors."""

    service: Service | None
    description: Description | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Validation:
    """What the specs mean. With errors among the diagnostics there may be fewer services than specs."""

    services: tuple[Service, ...]
    diagnostics: tuple[Diagnostic, ...]
    dependencies: tuple[Dependency, ...] = ()
    """Between SLOs of all services, those of other repositories among them."""
    standings: tuple[Standing, ...] = ()
    """Of SLOs on alerts of causes below them."""


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


def validate_spec(source: SourceFile, settings: Settings) -> ValidatedSpec:
    """The service of one spec, and all mistakes in it."""
    parsed = parse_spec(source)
    mistakes = (*parsed.diagnostics, *(structural_mistakes(parsed.tree) if parsed.tree else ()))
    if parsed.document is None or parsed.tree is None or has_errors(mistakes):
        return ValidatedSpec(None, None, mistakes)
    service, warnings = service_of(parsed.document, parsed.tree, settings, origin=source.origin)
    return ValidatedSpec(service, _description(service, parsed.tree), (*mistakes, *warnings))


def _description(service: Service, tree: YamlTree) -> Description:
    return Description(
        service.name,
        service.source,
        service.path,
        tree.span(("service",)),
        slos=tuple(slo.name for slo in service.slos),
        journeys=tuple(journey.name for journey in service.journeys),
        mentions=(
            *(
                Mention(slo.name, named, tree.span(("slos", index, "depends_on", position)))
                for index, slo in enumerate(service.slos)
                for position, named in enumerate(slo.depends_on)
            ),
            *(
                Mention(journey.name, step, tree.span(("journeys", index, "steps", position)), is_step=True)
                for index, journey in enumerate(service.journeys)
                for position, step in enumerate(journey.steps)
            ),
        ),
        formerly=tuple(
            Mention(slo.name, SloReference(*named), tree.span(("slos", index, "formerly", position)))
            for index, slo in enumerate(service.slos)
            for position, named in enumerate(slo.formerly)
        ),
        group_labels=service.group_labels,
        stands_on=tuple((slo.name, on) for slo in service.slos for on in slo.stands_on),
    )


def validate_specs(sources: Sequence[SourceFile], settings: Settings, *, are_all: bool = True) -> Validation:
    """Everything up to rendering: the services, and all mistakes of all specs in reading order.

    `are_all` says that there are no other specs: whatever services they name have to be among them.
    """
    specs = [validate_spec(source, settings) for source in sources]
    descriptions = [spec.description for spec in specs if spec.description]
    between = mistakes_between(
        descriptions, are_all=are_all, are_broken=len(descriptions) < len(specs), neighbours=settings.neighbours
    )
    return Validation(
        tuple(spec.service for spec in specs if spec.service),
        in_reading_order((*(mistake for spec in specs for mistake in spec.diagnostics), *between)),
        dependencies([*descriptions, *map(described, settings.neighbours)]),
        standings(descriptions),
    )


def mistakes_between(
    descriptions: Sequence[Description], *, are_all: bool, are_broken: bool, neighbours: Sequence[Neighbour] = ()
) -> tuple[Diagnostic, ...]:
    """What no spec can know by itself; `are_broken`: there are specs whose description isn't known."""
    known = Known.BROKEN if are_broken else Known.ALL if are_all else Known.SOME
    others = tuple(map(described, neighbours))
    return (
        *_repeated_services(descriptions),
        *_services_of_others(descriptions, neighbours),
        *reference_mistakes(descriptions, known, others),
        *former_name_mistakes(descriptions, others),
    )


def _services_of_others(descriptions: Sequence[Description], neighbours: Sequence[Neighbour]) -> Iterator[Diagnostic]:
    """Both would record the same series, and push into the same namespace of a ruler."""
    paths = {neighbour.service: neighbour.path for neighbour in neighbours}
    for description in descriptions:
        if description.name in paths:
            message = f"{description.name} is described by {paths[description.name]} of another repository, too"
            cure = "give one of them another name: what they record would be one ledger"
            yield Diagnostic("SLO016", description.span, message, cure)


def _repeated_services(descriptions: Sequence[Description]) -> Iterator[Diagnostic]:
    """A mistake for each spec whose service another one before it describes, too."""
    before: dict[str, list[str]] = {}
    for description in descriptions:
        for path in before.setdefault(description.name, []):
            message = f"{description.name} is described by {path}, too"
            yield Diagnostic("SLO016", description.span, message, "put all SLOs of a service into one file")
        before[description.name].append(description.path)


def compile_specs(
    sources: Sequence[SourceFile], settings: Settings, layout: Layout = FOLDER, *, are_all: bool = True
) -> Compilation:
    """All artefacts of the specs, deterministic: the same specs give the same bytes.

    `are_all` means what it means to `validate_specs`.
    """
    validation = validate_specs(sources, settings, are_all=are_all)
    if has_errors(validation.diagnostics):
        return Compilation((), validation.diagnostics)
    compilations = [render_service(service, settings, layout) for service in validation.services]
    spanning = (
        *render_overview(validation.services, settings),
        render_datasources(settings),
        render_template(validation.services, settings),
        render_inhibitions(validation.dependencies, validation.standings, settings),
    )
    return Compilation(
        (*(artefact for compilation in compilations for artefact in compilation.artefacts), *spanning),
        in_reading_order((*validation.diagnostics, *(w for each in compilations for w in each.diagnostics))),
    )


# Imported in the functions: neither `sereno validate` nor rules alone need jinja2 and the dashboard SDK.


def render_service(
    service: Service,
    settings: Settings,
    layout: Layout,
    kinds: frozenset[Kind] = ALL_KINDS,
    rule_format: RuleFormat = RuleFormat.PROMETHEUS,
) -> Compilation:
    """What belongs to one service, of these kinds; with warnings about its rules and behaviour tests."""
    artefacts: list[Artefact] = []
    warnings: tuple[Diagnostic, ...] = ()
    if Kind.RULES in kinds:
        from sereno_slo.render.engine_rules import render_engine_rules

        rules, warnings = render_engine_rules(service, settings, rule_format)
        artefacts.append(rules)
    if Kind.TESTS in kinds:
        from sereno_slo.render.promtool import render_behaviour_tests

        tests, untested = render_behaviour_tests(service, settings, layout)
        artefacts += tests
        warnings += untested
    if Kind.DASHBOARDS in kinds:
        from sereno_slo.render.dashboards import render_dashboard

        artefacts.append(render_dashboard(service, settings))
    if Kind.RUNBOOKS in kinds:
        from sereno_slo.render.runbooks import render_runbooks

        artefacts += render_runbooks((service,), settings)
    if Kind.BUCKETS in kinds:
        from sereno_slo.render.buckets import render_buckets

        artefacts += render_buckets((service,), settings)
    return Compilation(tuple(artefacts), warnings)


def render_overview(services: Sequence[Service | Description], settings: Settings) -> tuple[Artefact, ...]:
    """The dashboards of all services."""
    from sereno_slo.render.dashboards import render_spanning_dashboards

    return render_spanning_dashboards(services, settings)


def render_datasources(settings: Settings) -> Artefact:
    """Grafana's data sources, which know where traces are."""
    from sereno_slo.render import datasources

    return datasources.render_datasources(settings)


def render_template(services: Sequence[Service], settings: Settings) -> Artefact:
    """The postmortem's form, which names all SLOs."""
    from sereno_slo.render.postmortem_template import render_postmortem_template

    return render_postmortem_template(services, settings)


def render_inhibitions(found: Sequence[Dependency], causes: Sequence[Standing], settings: Settings) -> Artefact:
    """Alertmanager's part of the dependencies between all services, and on causes below them."""
    from sereno_slo.render.inhibit_rules import render_inhibit_rules

    return render_inhibit_rules(found, causes, frozenset(one.service for one in settings.neighbours))
