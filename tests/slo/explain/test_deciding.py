"""Gates held against standings, without a server: what denies, what warns, and what nobody knows."""

from dataclasses import replace

import pytest
from sereno_slo import Settings, SourceFile, read_settings, validate_specs
from sereno_slo.explain import NOT_KNOWN, Standing, thresholds_of, verdicts
from sereno_slo.explain.pace import FiringAlert
from sereno_slo.gate import GateAnswer
from sereno_slo.model import Service
from support.slo_specs import spec_text

PAGE = FiringAlert("outage", "critical", "2m")
TICKET = FiringAlert("slow", "warning", "3d")


def service(*rules: str, tier: str = "critical", settings: Settings | None = None) -> Service:
    """A service with one SLO and these rules as its gate; without any, the settings' gate."""
    gate = "".join(f"  - {{{rule}}}\n" for rule in rules)
    text = spec_text(spec=f"tier: {tier}\n") + (f"gate:\n{gate}" if rules else "")
    (found,) = validate_specs([SourceFile("api.slo.yaml", text)], settings or Settings()).services
    return found


def standing(
    of: Service, remaining: float | None = 0.5, coverage: float | None = 0.9, *firing: FiringAlert
) -> Standing:
    """How its SLO stands."""
    return Standing(of.slos[0], remaining, (), None, coverage, firing, ())


def said(of: Service, now: Standing) -> list[tuple[str, GateAnswer]]:
    """Conditions that hold, and their answers."""
    return [(verdict.when, verdict.answer) for verdict in verdicts([of], [now])]


@pytest.mark.parametrize(
    ("when", "holds", "doesnt"),
    [
        ("remaining < 10%", (0.0999, 0.9), (0.1, 0.9)),
        ("remaining < 0%", (-0.01, 0.9), (0.0, 0.9)),
        ("remaining<-50%", (-0.51, 0.9), (-0.5, 0.9)),
        ("coverage < 50 %", (0.5, 0.49), (0.5, 0.5)),
        ("burning", (0.5, 0.9, TICKET), (0.5, 0.9)),
        ("burning page", (0.5, 0.9, TICKET, PAGE), (0.5, 0.9, TICKET)),
        ("burning ticket", (0.5, 0.9, TICKET), (0.5, 0.9, PAGE)),
        ("burning slow", (0.5, 0.9, TICKET), (0.5, 0.9, PAGE)),
        ("burning outage", (0.5, 0.9, PAGE), (0.5, 0.9, TICKET)),
        ("unknown", (None, None), (0.5, 0.9)),
    ],
)
def test_each_condition_has_its_edge(when: str, holds: tuple[float, ...], doesnt: tuple[float, ...]) -> None:
    """A condition denies where it holds, and nothing is said where it just doesn't."""
    of = service(f"when: {when}, answer: deny")
    assert said(of, standing(of, *holds)) == [(when, GateAnswer.DENY)]  # type: ignore[arg-type]
    assert said(of, standing(of, *doesnt)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("when", ["remaining < 10%", "coverage < 50%", "burning"])
def test_what_nobody_knows_is_denied(when: str) -> None:
    """An SLO without data isn't allowed in silence, whatever the rules are about."""
    of = service(f"when: {when}, answer: warn")
    assert said(of, standing(of, None, None)) == [(NOT_KNOWN, GateAnswer.DENY)]


def test_a_rule_may_say_what_happens_when_nobody_knows() -> None:
    """`unknown` with a warning lets it pass, and tells it."""
    of = service("when: remaining < 10%, answer: deny", "when: unknown, answer: warn")
    assert said(of, standing(of, None, None)) == [("unknown", GateAnswer.WARN)]
    assert said(of, standing(of)) == []


def test_an_alert_that_fires_is_known_without_a_budget() -> None:
    """A page before the first roll-up denies by itself."""
    of = service("when: burning, answer: deny")
    assert said(of, standing(of, None, None, PAGE)) == [("burning", GateAnswer.DENY)]


def test_rules_are_for_their_tier_and_slo() -> None:
    """What isn't for this SLO says nothing of it, not even that nobody knows."""
    for_critical = service("when: remaining < 10%, tier: critical, answer: deny")
    assert said(for_critical, standing(for_critical, 0.05)) != []
    standard = replace(for_critical, slos=service("when: unknown, answer: deny", tier="standard").slos)
    assert said(standard, standing(standard, None, None)) == []
    of_other = service("when: remaining < 10%, slo: calls, answer: deny")
    renamed = replace(of_other, slos=(replace(of_other.slos[0], name="other"),))
    assert said(renamed, standing(renamed, 0.05)) == []


def test_every_rule_that_holds_is_told_with_its_figures() -> None:
    """One reason isn't hidden behind another."""
    of = service("when: remaining < 10%, answer: deny", "when: burning, answer: warn")
    found = verdicts([of], [standing(of, 0.042, 0.9, PAGE)])
    assert [verdict.reason for verdict in found] == [
        "remaining 4.2 % is below 10 %",
        "burning: critical outage 2m",
    ]


def test_a_spec_s_gate_goes_before_the_repository_s() -> None:
    """Without a gate the one of sereno.yaml counts; with one, even an empty one, only that."""
    settings, mistakes = read_settings(
        SourceFile("sereno.yaml", "gate: [{when: remaining < 20%, tier: critical, answer: deny}]")
    )
    assert mistakes == ()
    inherited = service(settings=settings)
    assert thresholds_of(inherited.gate, inherited.slos[0]) == (0.2,)
    own = service("when: remaining < 10%, answer: deny", settings=settings)
    assert thresholds_of(own.gate, own.slos[0]) == (0.1,)
    text = spec_text(spec="gate: []\n")
    (none,) = validate_specs([SourceFile("api.slo.yaml", text)], settings).services
    assert none.gate == ()
