"""What must hold whatever the seeds, for the rules that the compiler makes today."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from benchmarks.alert_quality.judging import Notice
from benchmarks.alert_quality.labels import labelled
from benchmarks.alert_quality.month import JUDGEMENTS, Kept, months
from benchmarks.alert_quality.policies import POLICIES
from benchmarks.alert_quality.promises import blinding_by_bots, outages_found, told_without_evidence
from benchmarks.alert_quality.report import as_json, broken, figures, print_details, print_months
from benchmarks.alert_quality.scenarios import FAMILIES, JUDGING_SEEDS, TUNING_SEEDS, scenario
from benchmarks.alert_quality.world import make_world

_OURS = [policy for policy in POLICIES if policy.startswith("sereno")]
_WORLD = make_world(scenario(FAMILIES[0], 1))
_FAST = next(family for family in FAMILIES if family.name == "36,000/h steady")


def _kept(policy: str) -> Kept:
    told = POLICIES[policy]
    return Kept(policy, told_without_evidence(told), tuple(outages_found(told)), blinding_by_bots(told))


@pytest.mark.parametrize("policy", _OURS)
def test_no_mode_breaks_a_promise(policy: str) -> None:
    """No alert of a failure or two, full outages paged within three minutes, no blindness after bots."""
    assert list(broken([], [_kept(policy)])) == []


def test_a_broken_promise_is_told() -> None:
    """What sloth tells of two retries would be one of ours."""
    kept = replace(_kept("sereno, ratio"), noise=told_without_evidence(POLICIES["sloth"]))
    assert any("two retries at 30/h: 7 pages" in each for each in broken([], [kept]))


def test_peers_page_for_no_evidence_and_not_for_outages_of_low_objectives() -> None:
    """What their documented conditions say: a burn of 100 is beyond reach at 90 %."""
    assert all(case.pages for case in told_without_evidence(POLICIES["sloth"]))
    lowest = next(iter(outages_found(POLICIES["pyrra"])))
    assert (lowest.objective_percent, lowest.day_minutes, lowest.night_minutes) == (90, None, None)


def test_a_month_is_judged_by_all_labels() -> None:
    """Under every policy, the same whatever the processes."""
    seen: list[str] = []
    (month,) = months([_FAST], [TUNING_SEEDS[0]], list(POLICIES), seen.append)
    paper = io.StringIO()
    console = Console(width=200, file=paper, color_system=None)
    print_months(console, [month], list(POLICIES))
    print_details(console, [month], "pyrra")
    said = paper.getvalue()
    assert 'Pages, label "felt", 1 months' in said
    assert said.count("│ sereno, budget ") == len(JUDGEMENTS)
    assert [row["sent"] for row in as_json([month], ["sloth"])] == [
        figures([month], "sloth", judgement).sent for judgement in JUDGEMENTS
    ]
    of_budget = figures([month], "sereno, budget", "budget")
    assert of_budget.recall == 1
    assert of_budget.right >= 3
    assert len(seen) == 1


def test_a_bad_month_breaks_the_promises_of_precision_and_recall() -> None:
    """Every page wrong and every incident missed is told, in words."""
    (month,) = months([_FAST], [TUNING_SEEDS[0]], list(POLICIES), lambda _: None)
    worst = {
        key: replace(verdict, right=0, wrong=(Notice(0, 1),), missed=tuple(labelled(_WORLD)[:1]))
        for key, verdict in month.verdicts.items()
    }
    told = list(broken([replace(month, verdicts=worst)], []))
    assert [
        any(words in each for each in told) for words in ("precision 0.000", "missed by budget", "that were felt")
    ] == [
        True,
        True,
        True,
    ]


def test_seeds_for_tuning_don_t_judge() -> None:
    """They are kept apart."""
    assert not set(TUNING_SEEDS) & set(JUDGING_SEEDS)
