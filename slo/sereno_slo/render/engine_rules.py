"""The rules of one service in the form that an engine, or the tool that feeds it, reads."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar, assert_never

from sereno_slo.diagnostics import Diagnostic, Severity, Span
from sereno_slo.model import Journey, Objective, Service, ServiceLevelObjective, Settings
from sereno_slo.render.artefact import Artefact, Kind
from sereno_slo.render.prometheus_rules import groups_of, render_rules
from sereno_slo.render.rule_format import RuleFormat
from sereno_slo.render.yaml_text import dump, header

# kubectl apply keeps the whole object in an annotation, and annotations may hold 262,144 bytes. The operator itself
# refuses rule files over 512 KiB, and etcd requests over 1.5 MiB: this keeps far below both.
_MOST_BYTES_OF_AN_OBJECT = 250_000
_MANAGED_BY = "app.kubernetes.io/managed-by"


AnyObjective = TypeVar("AnyObjective", ServiceLevelObjective, Journey)


def render_engine_rules(
    service: Service, settings: Settings, rule_format: RuleFormat
) -> tuple[Artefact, tuple[Diagnostic, ...]]:
    """`<service>.rules.yaml` in this form, and warnings about what the form can't hold."""
    match rule_format:
        case RuleFormat.PROMETHEUS:
            return render_rules(service, settings), ()
        case RuleFormat.OPERATOR:
            return _file(service, _objects(service, settings)), ()
        case RuleFormat.MIMIR:
            namespace = dump({"namespace": mimir_namespace(settings.mimir_namespace, service.name)})
            return _file(service, f"{namespace}groups:\n{_all_groups(service, settings)}"), ()
        case RuleFormat.VMALERT:
            lasting = [each for each in service.objectives if each.alerting.keep_firing_for]
            ending = replace(
                service,
                slos=tuple(map(_without_afterlife, service.slos)),
                journeys=tuple(map(_without_afterlife, service.journeys)),
            )
            return render_rules(ending, settings), tuple(_left_out(service, slo) for slo in lasting)
        case _:
            assert_never(rule_format)


def mimir_namespace(prefix: str, service: str) -> str:
    """The ruler's namespace of a service: mimirtool takes one file for each, so that services don't share one."""
    return f"{prefix}-{service}"


def _file(service: Service, content: str) -> Artefact:
    return Artefact(Kind.RULES, f"{service.name}.rules.yaml", f"{header(service.source)}{content}")


def _all_groups(service: Service, settings: Settings) -> str:
    return "".join(groups_of(each, settings) for each in service.objectives)


def _objects(service: Service, settings: Settings) -> str:
    """PrometheusRule objects, as a stream of YAML documents: one, unless it would be too large for kubectl."""
    parts = list(_small_enough([groups_of(each, settings) for each in service.objectives]))
    return "---\n".join(_object(service, settings, number, groups) for number, groups in enumerate(parts, start=1))


def _small_enough(texts: Iterable[str]) -> Iterator[str]:
    """The SLOs' groups, as many together as one object may hold; the groups of one SLO are never torn apart."""
    together: list[str] = []
    size = 0
    for text in texts:
        bytes_ = _bytes_as_json(text)
        if together and size + bytes_ > _MOST_BYTES_OF_AN_OBJECT:
            yield "".join(together)
            together, size = [], 0
        together.append(text)
        size += bytes_
    yield "".join(together)


def _bytes_as_json(text: str) -> int:
    """How long the groups are in the annotation, at most: JSON has no indentation, but escapes quotes and line ends."""
    return len(text.encode()) - 3 * text.count("\n") + text.count('"') + text.count("\\")


def _object(service: Service, settings: Settings, number: int, groups: str) -> str:
    """The name's dot can't be part of a service's name, so that no two objects have one name."""
    operator = settings.operator
    metadata = {
        "name": f"sereno-{service.name}" + (f".{number}" if number > 1 else ""),
        **({"namespace": operator.namespace} if operator.namespace else {}),
        "labels": dict(sorted({_MANAGED_BY: "sereno", **dict(operator.labels)}.items())),
    }
    head = dump({"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": metadata})
    return f"{head}spec:\n  groups:\n{_indented(groups)}"


def _indented(text: str) -> str:
    """Two columns further to the right; block texts count their indentation from where they stand."""
    return "".join(f"  {line}" if line != "\n" else line for line in text.splitlines(keepends=True))


def _without_afterlife(objective: AnyObjective) -> AnyObjective:
    return replace(objective, alerting=replace(objective.alerting, keep_firing_for=None))


def _left_out(service: Service, slo: Objective) -> Diagnostic:
    message = f"keep_firing_for of {slo.name} is left out: vmalert 1.79 refuses rules that have it"
    cure = "vmalert 1.92 and newer load --format prometheus, with it"
    return Diagnostic("SLO086", Span(service.path or service.source), message, cure, Severity.WARNING)
