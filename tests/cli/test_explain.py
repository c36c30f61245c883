"""`sereno explain` beside a past that is known to the event: figures agree with the truth and with each other."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sereno_backends.prometheus import PrometheusClient
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from support.ports import free_port
from support.slo_specs import REPOSITORY
from support.spent_budget import FURTHER, HOLE, INCIDENT, LESSER, SPEC, rfc3339, truth, when

from benchmarks.simulation import DAY, MINUTE

pytestmark = [pytest.mark.xdist_group("shop"), pytest.mark.usefixtures("shop_folder")]

AFTER_INCIDENTS = when(2)
Capture = pytest.CaptureFixture[str]


def explained(capture: Capture, url: str, *arguments: str, at: datetime = AFTER_INCIDENTS, slo: str = "calls") -> Any:
    """What the command answers as JSON."""
    call = ["explain", f"shop/{slo}", "--prometheus", url, "--at", rfc3339(at), "--format", "json", *arguments]
    assert run(call) == ExitCode.OK, capture.readouterr().err
    return json.loads(capture.readouterr().out)


def refused(capture: Capture, url: str, *arguments: str) -> tuple[int, str]:
    """Exit code and words of a command that has no answer."""
    code = run(["explain", "--prometheus", url, *arguments])
    printed = capture.readouterr()
    assert printed.out == ""
    return code, printed.err


def recorded(url: str, expression: str, at: datetime) -> float:
    """What the server has recorded."""
    with PrometheusClient(url) as client:
        (sample,) = client.instant(expression, at)
    return sample.value


def milliseconds(text: str) -> int:
    """A time of the answer."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_figures_are_those_that_happened(shop: str, capsys: Capture) -> None:
    """Bad events are exactly the incidents', events those that scrapes could see, the budget follows from them."""
    budget = (answer := explained(capsys, shop))["budget"]
    end_ms = milliseconds(answer["evaluated_at"]) - MINUTE
    happened = truth(end_ms - DAY, end_ms)
    assert budget["bad_events"] == happened.bad_events == 1_500
    # The minutes between the last roll-up and a stop of two hours are lost (docs/ledger.md).
    assert budget["events"] == pytest.approx(happened.events, rel=5e-3)
    assert budget["budget_events"] == pytest.approx(budget["events"] / 100)
    assert budget["one_percent_events"] == pytest.approx(budget["events"] / 10_000)
    assert budget["remaining_ratio"] == pytest.approx(1 - 1_500 / budget["budget_events"])


def test_figures_are_those_that_dashboards_show(shop: str, capsys: Capture) -> None:
    """Events, bad events and the remaining budget are what the rules recorded, to the last digit; nothing is noted."""
    for at in (AFTER_INCIDENTS, when(1, 10.5), when(0, 6)):
        budget = explained(capsys, shop, at=at)["budget"]
        of = '{service="shop",slo="calls"}'
        for figure, name in (
            ("events", "events:window"),
            ("bad_events", "bad_events:window"),
            ("remaining_ratio", "error_budget_remaining:ratio"),
            ("recorded_remaining_ratio", "error_budget_remaining:ratio"),
        ):
            assert budget[figure] == pytest.approx(recorded(shop, f"sereno:{name}{of}", at), rel=1e-12), figure


def test_hours_and_days_add_up(shop: str, capsys: Capture) -> None:
    """No event is in two hours, or in none: parts sum up to the window, and shares to what is spent."""
    answer = explained(capsys, shop)
    budget = answer["budget"]
    for stretches in (answer["hours"], answer["days"]):
        assert sum(each["events"] for each in stretches) == pytest.approx(budget["events"])
        assert sum(each["bad_events"] for each in stretches) == pytest.approx(budget["bad_events"])
        assert sum(each["budget_share"] for each in stretches) == pytest.approx(1 - budget["remaining_ratio"])


def test_the_hours_of_incidents_are_found(shop: str, capsys: Capture) -> None:
    """Each incident lies in its hour, to the minute, with the part of its events that failed."""
    bad = {each["begin"]: each for each in explained(capsys, shop)["hours"] if each["bad_events"] > 0}
    assert {milliseconds(begin): each["bad_events"] for begin, each in bad.items()} == {
        INCIDENT.start: 1_200,
        LESSER.start: 300,
    }
    assert [each["error_ratio"] for each in bad.values()] == [0.5, 0.125]


def test_label_values_are_named(shop: str, capsys: Capture) -> None:
    """Groups are counted by their ledgers over the window, other labels by raw series that tell the same events."""
    spenders = explained(capsys, shop)["spenders"]
    assert spenders["bad_events"] == spenders["raw_bad_events"] == 1_500
    found = {
        tuple(each["labels"]): (each["is_whole_window"], {s["value"]: s["bad_events"] for s in each["spenders"]})
        for each in spenders["breakdowns"]
    }
    # Before groups were counted anew by raw series: the ledger's word goes first.
    assert found[("instance",)] == (False, {"a:1": 600, "b:1": 900})
    by_route = [each for each in spenders["breakdowns"] if each["labels"] == ["route"]]
    assert [each["is_whole_window"] for each in by_route] == [True, False]
    assert all({s["value"]: s["bad_events"] for s in e["spenders"]} == {"/pay": 1_200, "/list": 300} for e in by_route)


def test_an_hour_that_goes_on_is_asked_as_far_as_it_is_counted(shop: str, capsys: Capture) -> None:
    """In the middle of the incident raw series tell no more than the ledger has summed."""
    spenders = explained(capsys, shop, at=when(1, 10.5))["spenders"]
    assert spenders["raw_bad_events"] == spenders["bad_events"] == 520


def test_holes_are_told_with_their_times(shop: str, capsys: Capture) -> None:
    """Two hours without Prometheus are one hole; coverage is what was recorded, and seen and missing are the window."""
    coverage = explained(capsys, shop)["coverage"]
    assert coverage["ratio"] == pytest.approx(
        recorded(shop, 'sereno:coverage:ratio{service="shop",slo="calls"}', AFTER_INCIDENTS)
    )
    (hole,) = coverage["holes"]
    assert abs(milliseconds(hole["begin"]) - HOLE.start) < 6 * MINUTE
    assert abs(milliseconds(hole["end"]) - HOLE.end) < 6 * MINUTE
    assert hole["cause"] == "rules weren't evaluated"
    assert coverage["seen_minutes"] + hole["missing_minutes"] == coverage["window_minutes"]
    assert coverage["missed_evaluations"] == 24
    assert coverage["minutes_before_begin"] == 0


def test_predictions_come_true(shop: str, capsys: Capture) -> None:
    """What is said about hours to come is what is recorded then: nothing more fails, and traffic is steady."""
    future = explained(capsys, shop)["rolling_out"]
    (recovery,) = future["recoveries"]
    at = datetime.fromisoformat(recovery["at"])
    before, after = (explained(capsys, shop, at=at + timedelta(minutes=minutes)) for minutes in (-10, 6))
    assert before["budget"]["remaining_ratio"] < recovery["threshold_ratio"] == 0 <= after["budget"]["remaining_ratio"]
    for forecast in future["forecasts"]:
        then = explained(capsys, shop, at=datetime.fromisoformat(forecast["at"]) + timedelta(seconds=1))
        assert then["budget"]["remaining_ratio"] == pytest.approx(forecast["remaining_ratio"], abs=0.03)
    assert [forecast["after"] for forecast in future["forecasts"]] == ["1h", "6h", "1d"]
    leaving = {milliseconds(each["leaves_from"]): each["spent"]["bad_events"] for each in future["leaving"]}
    assert leaving == {INCIDENT.start + DAY: 1_200, LESSER.start + DAY: 300}


def test_the_gate_s_threshold_is_predicted_too(shop: str, shop_folder: Path, capsys: Capture) -> None:
    """When deployments are possible again: after the first incident has left, 45 % remain, so 60 % come later."""
    spec = shop_folder / "slo/specs/shop.slo.yaml"
    spec.write_text(f"{SPEC}gate: [{{when: remaining < 60%, slo: calls, answer: deny}}]\n", encoding="utf-8")
    recoveries = explained(capsys, shop)["rolling_out"]["recoveries"]
    assert [each["threshold_ratio"] for each in recoveries] == [0, 0.6]
    first, second = (milliseconds(each["at"]) for each in recoveries)
    assert INCIDENT.start + DAY < first < INCIDENT.end + DAY + 6 * MINUTE
    assert LESSER.start + DAY < second < LESSER.end + DAY + 6 * MINUTE


def test_the_pace_is_that_of_alerts(shop: str, capsys: Capture) -> None:
    """In the middle of the incident the short window burns fifty times too fast, and the alert that fires is named."""
    pace = explained(capsys, shop, at=when(1, 10.5))["pace"]
    assert [alert["burn"] for alert in pace["firing"]] == ["outage"]
    fast = pace["tiers"][0]
    assert fast["burn_rate_short"] == pytest.approx(50)
    assert fast["burn_rate_long"] == pytest.approx(25, rel=0.05)
    assert explained(capsys, shop)["pace"]["firing"] == []


def test_a_young_ledger_says_so(shop: str, capsys: Capture) -> None:
    """Six hours after the rules were loaded the window isn't full, which is no hole."""
    answer = explained(capsys, shop, at=when(0, 6))
    assert abs(datetime.fromisoformat(answer["begun_at"]) - when(0, 1 / 6)) < timedelta(minutes=2)
    coverage = answer["coverage"]
    assert coverage["holes"] == []
    assert coverage["seen_minutes"] + coverage["minutes_before_begin"] == pytest.approx(1_440, abs=1)
    assert explained(capsys, shop)["begun_at"] is None


def test_time_slices_are_minutes(shop: str, capsys: Capture) -> None:
    """A minute is bad once, however many instances saw it: forty in all, forty and twenty by instance."""
    answer = explained(capsys, shop, at=when(2, 3), slo="table")
    assert answer["budget"]["bad_events"] == pytest.approx(40, abs=1)
    assert answer["budget"]["events"] <= 1_440
    (by_instance,) = answer["spenders"]["breakdowns"]
    by_value = {spender["value"]: spender["bad_events"] for spender in by_instance["spenders"]}
    assert by_value == {"a:1": pytest.approx(40, abs=1), "b:1": pytest.approx(20, abs=1)}
    assert answer["spenders"]["raw_bad_events"] == pytest.approx(answer["spenders"]["bad_events"], abs=1)


@pytest.mark.parametrize(
    ("slo", "by_label"),
    [
        ("answered", {"instance": {"a:1": 600, "b:1": 900}, "code": {"500": 1_500}}),
        ("speed", {"route": {"/list": 300}, "instance": {"a:1": 300}}),
    ],
)
def test_kinds_of_indicators_are_broken_down_alike(
    shop: str, shop_folder: Path, capsys: Capture, slo: str, by_label: dict[str, dict[str, int]]
) -> None:
    """What is bad by what good events, or a histogram's bucket, leave over is found in its labels, too."""
    (shop_folder / "slo/specs/shop.slo.yaml").write_text(SPEC + FURTHER, encoding="utf-8")
    answer = explained(capsys, shop, slo=slo)
    bad_events = sum(by_label["instance"].values())
    assert answer["budget"]["bad_events"] == answer["spenders"]["raw_bad_events"] == bad_events
    found = {
        each["labels"][0]: {s["value"]: s["bad_events"] for s in each["spenders"]}
        for each in answer["spenders"]["breakdowns"]
    }
    assert found | by_label == found


def test_a_group_has_an_account_of_its_own(shop: str, capsys: Capture) -> None:
    """Half of the events, and the failures of its route only; its labels are those that aren't the group's."""
    answer = explained(capsys, shop, "--group", "route=/pay")
    assert answer["group"] == {"route": "/pay"}
    assert answer["budget"]["bad_events"] == 1_200
    budget = answer["budget"]
    assert budget["remaining_ratio"] == pytest.approx(budget["recorded_remaining_ratio"], rel=1e-12)
    assert [each["labels"] for each in answer["spenders"]["breakdowns"]] == [["instance"]]


def test_rules_of_an_older_spec_are_noticed(shop: str, shop_folder: Path, capsys: Capture) -> None:
    """An objective that was changed, but not deployed, is why figures differ from the dashboard's."""
    spec = shop_folder / "slo/specs/shop.slo.yaml"
    spec.write_text(SPEC.replace("objective: 99\n", "objective: 99.5\n"), encoding="utf-8")
    assert [note.partition(",")[0] for note in explained(capsys, shop)["notes"][:1]] == [
        "the server's rules have an objective of 99 %"
    ]


def test_figures_that_disagree_are_told(shop: str, shop_folder: Path, capsys: Capture) -> None:
    """Roll-ups leave half of the budget, where seven tenths were recorded: both figures are told."""
    (shop_folder / "slo/specs/shop.slo.yaml").write_text(SPEC.replace("service: shop", "service: odd"))
    call = ["explain", "odd/calls", "--prometheus", shop, "--at", rfc3339(AFTER_INCIDENTS), "--format", "json"]
    assert run(call) == ExitCode.OK
    answer = json.loads(capsys.readouterr().out)
    assert answer["budget"]["remaining_ratio"] == pytest.approx(0.5)
    assert answer["budget"]["recorded_remaining_ratio"] == 0.7
    (note,) = answer["notes"]
    assert "was recorded as 70.0000 %, its roll-ups say 50.0000 %" in note
    code, said = refused(capsys, shop, "odd/table", "--at", rfc3339(AFTER_INCIDENTS))
    assert (code, "counts events of odd/table, but no bad ones" in said) == (ExitCode.ANSWER_IS_NO, True)


def test_old_figures_are_called_old(shop: str, capsys: Capture) -> None:
    """Hours after the last evaluation the figures are of then, and it is said."""
    answer = explained(capsys, shop, at=when(3, 5))
    assert answer["notes"][0].startswith("the rules were evaluated last at 2025-02-04 00:12 UTC, 287 minutes before")
    assert answer["budget"]["events"] > 57_000


def test_no_answer_is_told_from_another(shop: str, shop_folder: Path, capsys: Capture) -> None:
    """No such SLO is 2, no series and no data are 1 with different words, nobody there is 3."""
    (shop_folder / "slo/specs/other.slo.yaml").write_text(SPEC.replace("service: shop", "service: other"))
    code, said = refused(capsys, shop, "shop/cals")
    assert (code, "did you mean shop/calls?" in said) == (ExitCode.INVALID_INPUT, True)
    code, said = refused(capsys, shop, "other/calls", "--at", rfc3339(AFTER_INCIDENTS))
    assert (code, "recorded nothing of other/calls" in said, ", it has odd/calls, " in said) == (1, True, True)
    code, said = refused(capsys, shop, "shop/calls")
    assert (code, "recorded nothing of shop/calls" in said, "nor of any other SLO" in said) == (1, True, True)
    code, said = refused(capsys, shop, "shop/calls", "--group", "route=/buy", "--at", rfc3339(AFTER_INCIDENTS))
    assert (code, "no such group" in said) == (ExitCode.ANSWER_IS_NO, True)
    code, said = refused(capsys, f"http://127.0.0.1:{free_port()}", "shop/calls")
    assert (code, "can't be reached" in said, said.count("\n")) == (ExitCode.UNREACHABLE, True, 1)


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("shop/calls", "--group", "path=/pay"), "write route=…"),
        (("shop/table", "--group", "route=/pay"), "has no group_by"),
        (("shop/calls", "--at", "yesterday"), "is no time"),
        (("shop/calls", "--at", "2999-01-01T00:00:00Z"), "not in the past"),
    ],
)
def test_arguments_that_say_nothing_are_told(capsys: Capture, arguments: tuple[str, ...], cure: str) -> None:
    """Before anybody is asked."""
    code, said = refused(capsys, f"http://127.0.0.1:{free_port()}", *arguments)
    assert (code, cure in said) == (ExitCode.INVALID_INPUT, True), said


def test_text_fits_into_eighty_columns_without_colour(shop: str, capsys: Capture) -> None:
    """In a pipe there is no escape, no line is longer than 80, and the figures are those of the JSON."""
    for slo, at in (("calls", AFTER_INCIDENTS), ("calls", when(0, 6)), ("table", when(2, 3))):
        assert run(["explain", f"shop/{slo}", "--prometheus", shop, "--at", rfc3339(at)]) == ExitCode.OK
        printed = capsys.readouterr().out
        assert "\x1b" not in printed
        assert max(map(len, printed.splitlines())) <= 80
        budget = explained(capsys, shop, at=at, slo=slo)["budget"]
        assert f"{100 * budget['remaining_ratio']:.1f} %  remaining" in printed
        assert f"{budget['bad_events']:,.0f}  of them bad" in printed


def test_the_example_of_the_manual_is_a_true_run(shop: str, shop_folder: Path, capsys: Capture) -> None:
    """docs/budget.md shows what is printed, word for word."""
    gate = "gate: [{when: remaining < 10%, slo: calls, answer: deny}, {when: burning page, answer: deny}]\n"
    (shop_folder / "slo/specs/shop.slo.yaml").write_text(SPEC + gate, encoding="utf-8")
    manual = (REPOSITORY / "docs/budget.md").read_text(encoding="utf-8")
    examples = re.findall(
        r"^\$ (sereno .*?) --prometheus \S+\n(.*?)\n(?:```|\$ echo)", manual, re.DOTALL | re.MULTILINE
    )
    assert [call.split()[1] for call, _ in examples] == ["explain", "budget", "budget"]
    for call, printed in examples:
        run([*call.split()[1:], "--prometheus", shop])
        assert [line.rstrip() for line in capsys.readouterr().out.strip().splitlines()] == printed.splitlines()
