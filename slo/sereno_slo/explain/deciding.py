"""Whether a deployment may go on: the rules of a gate, held against standings; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from sereno_slo.explain.pace import FiringAlert
from sereno_slo.explain.standings import Standing
from sereno_slo.gate import (
    Burning,
    BurnKind,
    CoverageBelow,
    GateAnswer,
    GateCondition,
    GateRule,
    RemainingBelow,
    Unknown,
)
from sereno_slo.model import AlertSeverity, Objective, Service

NOT_KNOWN = "unknown"
"""What verdicts have as their condition where no rule says what to do when nobody knows."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one SLO, where its condition holds."""

    service: str
    slo: str
    when: str
    """The rule's condition as it is written."""
    answer: GateAnswer
    reason: str


def thresholds_of(gate: Iterable[GateRule], slo: Objective) -> tuple[float, ...]:
    """The remaining ratios below which the gate says something of the SLO."""
    return tuple(rule.condition.ratio for rule in applying(gate, slo) if isinstance(rule.condition, RemainingBelow))


def applying(gate: Iterable[GateRule], slo: Objective) -> tuple[GateRule, ...]:
    """The rules that concern the SLO."""
    return tuple(rule for rule in gate if rule.tier in (None, slo.tier) and rule.slo in (None, slo.name))


def verdicts(services: Iterable[Service], found: Iterable[Standing]) -> tuple[Verdict, ...]:
    """Every rule that holds, in the order of the standings; none where nothing speaks against a deployment."""
    gates = {service.name: service.gate for service in services}
    return tuple(verdict for standing in found for verdict in _of_slo(gates[standing.slo.service], standing))


def _of_slo(gate: Iterable[GateRule], standing: Standing) -> Iterator[Verdict]:
    slo, rules = standing.slo, applying(gate, standing.slo)
    reasons = {rule: _reason(rule.condition, standing) for rule in rules}
    for rule, reason in reasons.items():
        if reason:
            yield Verdict(slo.service, slo.name, rule.when, rule.answer, reason)
    is_unknown = None in reasons.values()
    if is_unknown and not any(isinstance(rule.condition, Unknown) for rule in rules):
        # Nobody knows is no yes: a server without the rules would open every gate.
        reason = "the server doesn't know its budget; {when: unknown, answer: warn} would let it pass"
        yield Verdict(slo.service, slo.name, NOT_KNOWN, GateAnswer.DENY, reason)


def _reason(condition: GateCondition, standing: Standing) -> str | None:
    """Why the condition holds; empty where it doesn't, None where nobody knows."""
    match condition:
        case RemainingBelow(ratio=ratio):
            return _below("remaining", standing.remaining_ratio, ratio)
        case CoverageBelow(ratio=ratio):
            return _below("coverage", standing.coverage_ratio, ratio)
        case Burning(kind=kind):
            alerts = [alert for alert in standing.firing if kind is None or _is_of(kind, alert)]
            fires = ", ".join(f"{alert.severity} {alert.burn} {alert.long_window}" for alert in alerts)
            # Without a ledger no alert can fire: silence says nothing then.
            return f"burning: {fires}" if fires else "" if standing.is_known else None
        case Unknown():
            is_known = standing.is_known and standing.coverage_ratio is not None
            return "" if is_known else "the server doesn't know its budget"
        case _:
            assert_never(condition)


def _below(subject: str, value: float | None, ratio: float) -> str | None:
    if value is None:
        return None
    return f"{subject} {100 * value:.4g} % is below {100 * ratio:g} %" if value < ratio else ""


def _is_of(kind: BurnKind, alert: FiringAlert) -> bool:
    match kind:
        case BurnKind.PAGE:
            return alert.severity == AlertSeverity.CRITICAL
        case BurnKind.TICKET:
            return alert.severity == AlertSeverity.WARNING
        case BurnKind.OUTAGE | BurnKind.FAST | BurnKind.SLOW:
            return alert.burn == kind
        case _:
            assert_never(kind)
