"""One SLO of each kind as a spec, and the rules that Sereno makes of it."""

from collections.abc import Sequence

from sereno_slo import Settings, SourceFile, has_errors, validate_specs
from sereno_slo.model import ServiceLevelObjective
from sereno_slo.render.prometheus_rules import render_rules

from benchmarks.cost.raw import JOB, Kind
from benchmarks.cost.rulesets import RuleSet, read_rules

SLO_NAMES = {Kind.RATIO: "availability", Kind.LATENCY: "latency", Kind.GROUPED: "by-path"}

_HEAD = f"""\
version: sereno/v1
service: {JOB}
owner: shop
tier: critical
slos:
"""

_SLOS = {
    Kind.RATIO: f"""\
  - name: {SLO_NAMES[Kind.RATIO]}
    objective: 99.9
    window: 30d
    indicator:
      ratio:
        metric: http_requests_total
        match: 'job="{JOB}"'
        bad: 'code=~"5.."'
""",
    Kind.LATENCY: f"""\
  - name: {SLO_NAMES[Kind.LATENCY]}
    objective: 99
    window: 30d
    indicator:
      latency:
        metric: http_request_duration_seconds
        match: 'job="{JOB}"'
        threshold: 250ms
""",
    Kind.GROUPED: f"""\
  - name: {SLO_NAMES[Kind.GROUPED]}
    objective: 99.9
    window: 30d
    group_by:
      labels: [path]
    indicator:
      ratio:
        metric: http_requests_total
        match: 'job="{JOB}"'
        bad: 'code=~"5.."'
""",
}


class SpecError(Exception):
    """The compiler refuses a spec of this benchmark; the message is its own."""


def sereno_rules(kind: Kind) -> RuleSet:
    """What `sereno compile` writes for one SLO of this kind, with the alerting mode that reads most.

    Raises:
        SpecError: this version can't compile it.
    """
    (text,) = rule_files([_source(kind)]).values()
    return RuleSet("sereno", read_rules(text))


def sereno_slo(kind: Kind) -> ServiceLevelObjective:
    """The SLO whose rules these are."""
    (service,) = validate_specs([_source(kind)], Settings()).services
    return service.slos[0]


def _source(kind: Kind) -> SourceFile:
    return SourceFile("shop.slo.yaml", _HEAD + _SLOS[kind])


def rule_files(sources: Sequence[SourceFile]) -> dict[str, str]:
    """Names and texts of the rule files that `sereno compile` makes of specs.

    Raises:
        SpecError: a spec is refused.
    """
    settings = Settings()
    validation = validate_specs(sources, settings)
    if has_errors(validation.diagnostics):
        raise SpecError("; ".join(map(str, validation.diagnostics)))
    # Rules only: tests, dashboards and runbooks of a thousand SLOs would take minutes.
    artefacts = [render_rules(service, settings) for service in validation.services]
    return {artefact.name: artefact.content for artefact in artefacts}
