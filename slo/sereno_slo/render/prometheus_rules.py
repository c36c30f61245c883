"""Rule groups as a Prometheus rule file."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sereno_slo.model import Journey, Service, ServiceLevelObjective, Settings
from sereno_slo.plan import plan_slo
from sereno_slo.plan.rules import AlertingRule, RecordingRule, RuleGroup
from sereno_slo.promql.layout import pretty
from sereno_slo.render.artefact import Artefact, Kind
from sereno_slo.render.shapes import Template, shape_of, template_of
from sereno_slo.render.yaml_text import dump, header


def render_rules(service: Service, settings: Settings) -> Artefact:
    """`<service>.rules.yaml`: what Prometheus loads."""
    groups = "".join(groups_of(slo, settings) for slo in service.objectives)
    return Artefact(Kind.RULES, f"{service.name}.rules.yaml", f"{header(service.source)}groups:\n{groups}")


def groups_of(slo: ServiceLevelObjective | Journey, settings: Settings) -> str:
    """The groups of an SLO or a journey as the items of a YAML list."""
    shape = None if isinstance(slo, Journey) else shape_of(slo)
    return groups_text(slo, settings) if shape is None else _template(shape.slo, settings).filled(shape.names)


def groups_text(slo: ServiceLevelObjective | Journey, settings: Settings) -> str:
    """The groups of an SLO, printed directly: shapes only save the time."""
    return dump(list(_documents(slo, settings)))


@lru_cache(maxsize=256)
def _template(shape: ServiceLevelObjective, settings: Settings) -> Template:
    return template_of(shape, list(_documents(shape, settings)))


def _documents(slo: ServiceLevelObjective | Journey, settings: Settings) -> Iterable[dict[str, Any]]:
    return map(_group, plan_slo(slo, settings))


def _group(group: RuleGroup) -> dict[str, Any]:
    return {"name": group.name, "interval": str(group.interval), "rules": [_rule(rule) for rule in group.rules]}


def _rule(rule: RecordingRule | AlertingRule) -> dict[str, Any]:
    match rule:
        case RecordingRule(record=record, expr=expr, labels=labels):
            return _filled({"record": record, "expr": pretty(expr), "labels": labels})
        case AlertingRule():
            return _filled(
                {
                    "alert": rule.alert,
                    "expr": pretty(rule.expr),
                    "for": str(rule.for_) if rule.for_ else None,
                    "keep_firing_for": str(rule.keep_firing_for) if rule.keep_firing_for else None,
                    "labels": rule.labels,
                    "annotations": rule.annotations,
                }
            )


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in fields.items() if value}
