"""Rule groups as a Prometheus rule file."""

from collections.abc import Mapping
from typing import Any

from sereno_slo.model import Service
from sereno_slo.plan.rules import AlertingRule, RecordingRule, RuleGroup, ServicePlan
from sereno_slo.promql.tree import pretty
from sereno_slo.render.artefact import Artefact, Kind
from sereno_slo.render.yaml_text import dump, header


def render_rules(service: Service, plan: ServicePlan) -> Artefact:
    """`<service>.rules.yaml`: what Prometheus loads."""
    document = {"groups": [_group(group) for group in plan.groups]}
    return Artefact(Kind.RULES, f"{service.name}.rules.yaml", header(service.source) + dump(document))


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
