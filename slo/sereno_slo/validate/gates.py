"""Mistakes of a gate that its grammar can't see, and its rules as values of the model."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from sereno_slo.diagnostics import Diagnostic, Severity
from sereno_slo.gate import GateAnswer, GateRule, read_condition
from sereno_slo.model import Tier
from sereno_slo.parse.grammar import GateDocument
from sereno_slo.parse.yaml_tree import YamlTree


def gate_mistakes(tree: YamlTree, gate: Any, slos: Sequence[Any]) -> Iterator[Diagnostic]:
    """Rules that name an SLO which the spec doesn't have."""
    names = [slo["name"] for slo in slos if isinstance(slo, dict) and isinstance(slo.get("name"), str)]
    for index, rule in enumerate(gate if isinstance(gate, list) else []):
        name = rule.get("slo") if isinstance(rule, dict) else None
        if isinstance(name, str) and name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            cure = f"did you mean {near[0]}?" if near else f"write one of {', '.join(names)}, or leave slo out"
            yield Diagnostic("SLO082", tree.span(("gate", index, "slo")), f"the service has no SLO {name}", cure)


def gate_mistakes_of_settings(tree: YamlTree, gate: Any) -> Iterator[Diagnostic]:
    """A rule for all specs can't be about one SLO."""
    for index, rule in enumerate(gate if isinstance(gate, list) else []):
        if isinstance(rule, dict) and rule.get("slo") is not None:
            message = "a gate of sereno.yaml is for the SLOs of all specs; slo belongs into a spec's own gate"
            yield Diagnostic("SLO083", tree.key_span(("gate", index, "slo")), message, "remove slo, or move the rule")


def rules_without_subject(tree: YamlTree, gate: Sequence[GateDocument], tier: Tier) -> Iterator[Diagnostic]:
    """In a spec the tier is known: a rule for the other one never denies anything."""
    for index, rule in enumerate(gate):
        if rule.tier is not None and rule.tier != tier:
            message = f"the rule is for services of tier {rule.tier}, this one is {tier}: it never applies"
            cure = "remove the rule's tier; in sereno.yaml it would tell services apart"
            yield Diagnostic("SLO084", tree.span(("gate", index, "tier")), message, cure, Severity.WARNING)


def gate_rules(gate: Sequence[GateDocument]) -> tuple[GateRule, ...]:
    """The rules of a document without mistakes, in its order."""
    return tuple(
        GateRule(rule.when, read_condition(rule.when), GateAnswer(rule.answer), rule.tier, rule.slo) for rule in gate
    )
