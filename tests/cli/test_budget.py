"""`sereno budget`: the order of urgency, gates that close and open, overrides, and servers that don't answer."""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from support.ports import free_port
from support.prometheus import HistorySample, running_prometheus
from support.spent_budget import SPEC, rfc3339, when

pytestmark = pytest.mark.xdist_group("shop")

IN_INCIDENT = when(1, 10.75)
CALM = when(3, 0.15)
OVERRIDE = ("--override", "--author", "ana", "--reason", "fixes the outage")
Capture = pytest.CaptureFixture[str]


def budget(capture: Capture, url: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    code = run(["budget", "--prometheus", url, *arguments])
    printed = capture.readouterr()
    return code, printed.out, printed.err


def standings(capture: Capture, url: str, at: datetime) -> list[Any]:
    """The table as values."""
    code, printed, said = budget(capture, url, "--at", rfc3339(at), "--format", "json")
    assert code == ExitCode.OK, said
    found: list[Any] = json.loads(printed)["standings"]
    return found


@pytest.fixture
def gated(shop_folder: Path) -> Path:
    """The folder, with a gate in the spec."""
    spec = shop_folder / "slo/specs/shop.slo.yaml"
    gate = "gate:\n  - {when: remaining < 10%, answer: deny}\n  - {when: burning, answer: warn}\n"
    spec.write_text(SPEC + gate, encoding="utf-8")
    return shop_folder


@pytest.mark.usefixtures("shop_folder")
def test_who_burns_comes_first(shop: str, capsys: Capture) -> None:
    """In the incident the calls are first, with the alert that fires; later the table, which has less left."""
    first, second = standings(capsys, shop, IN_INCIDENT)
    assert (first["slo"]["name"], first["pages"], second["pages"]) == ("calls", True, False)
    assert first["firing"] == [{"burn": "outage", "severity": "critical", "long_window": "2m"}]
    assert [rate["window"] for rate in first["burn_rates"]] == ["1h", "6h", "3d"]
    assert first["burn_rates"][0]["burn_rate"] == pytest.approx(37.5, rel=0.05)
    assert first["exhausted_in_seconds"] == 0
    names = [(each["slo"]["name"], each["remaining_ratio"]) for each in standings(capsys, shop, CALM)]
    assert [name for name, _ in names] == ["table", "calls"]
    assert names[0][1] < names[1][1] == 1


def test_journeys_are_listed(shop: str, shop_folder: Path, capsys: Capture) -> None:
    """A journey has a budget as SLOs have; that nothing was recorded of this one is said, and is no yes to a gate."""
    spec = shop_folder / "slo/specs/shop.slo.yaml"
    gate = "gate: [{when: remaining < 10%, slo: buy, answer: deny}]\n"
    journey = "journeys:\n  - {name: buy, objective: 99, steps: [shop/calls, shop/table]}\n"
    spec.write_text(SPEC + journey + gate, encoding="utf-8")
    unknown = [each["slo"]["name"] for each in standings(capsys, shop, CALM) if each["remaining_ratio"] is None]
    assert unknown == ["buy"]
    code, printed, _ = budget(capsys, shop, "--at", rfc3339(CALM), "--gate")
    assert code == ExitCode.ANSWER_IS_NO
    assert "buy" in printed


def test_urgent_isn_t_what_has_least(shop: str, shop_folder: Path, capsys: Capture) -> None:
    """A ticket now goes before a budget that was overspent yesterday, and what nobody knows before what is well."""
    spec = shop_folder / "slo/specs/unknown.slo.yaml"
    spec.write_text(SPEC.replace("service: shop", "service: unknown"), encoding="utf-8")
    found = standings(capsys, shop, when(2, 1.5))
    assert [(each["slo"]["service"], each["slo"]["name"]) for each in found] == [
        ("shop", "table"),
        ("unknown", "calls"),
        ("unknown", "table"),
        ("shop", "calls"),
    ]
    assert found[0]["remaining_ratio"] > 0 > found[3]["remaining_ratio"]


@pytest.mark.usefixtures("shop_folder")
def test_the_table_names_what_it_doesn_t_know(shop: str, capsys: Capture) -> None:
    """A server without figures is no server with zeros: dashes, the words "no data", and how many there are."""
    code, printed, _ = budget(capsys, shop)
    assert code == ExitCode.OK
    assert printed.count("no data") == 3
    assert "2 of 2 SLOs have no data on this server" in printed
    assert "0.0 %" not in printed
    code, printed, _ = budget(capsys, shop, "--at", rfc3339(IN_INCIDENT))
    assert [line.split()[:2] for line in printed.splitlines()[1:]] == [
        ["shop/calls", "PAGE"],
        ["shop/table", "100.0"],
    ]


@pytest.mark.usefixtures("gated")
def test_a_gate_closes_with_reasons_and_opens_again(shop: str, capsys: Capture) -> None:
    """While the budget is overspent a deployment is denied, and told why; once it is back, it may go on."""
    code, printed, _ = budget(capsys, shop, "--gate", "--at", rfc3339(IN_INCIDENT))
    assert code == ExitCode.ANSWER_IS_NO
    denied, warned, gate = printed.splitlines()[-3:]
    assert denied.startswith("denied: shop/calls: remaining -")
    assert denied.endswith("% is below 10 % (gate: remaining < 10%)")
    assert warned == "warning: shop/calls: burning: critical outage 2m (gate: burning)"
    assert gate == "gate: closed"
    code, printed, _ = budget(capsys, shop, "--gate", "--at", rfc3339(CALM))
    assert (code, printed.splitlines()[-1]) == (ExitCode.OK, "gate: open")


def test_a_warning_closes_nothing(shop: str, shop_folder: Path, capsys: Capture) -> None:
    """It is told, and the deployment may go on."""
    spec = shop_folder / "slo/specs/shop.slo.yaml"
    spec.write_text(f"{SPEC}gate: [{{when: burning, answer: warn}}]\n", encoding="utf-8")
    code, printed, _ = budget(capsys, shop, "--gate", "--at", rfc3339(IN_INCIDENT))
    assert code == ExitCode.OK
    assert printed.splitlines()[-2:] == [
        "warning: shop/calls: burning: critical outage 2m (gate: burning)",
        "gate: open",
    ]


@pytest.mark.usefixtures("shop_folder")
def test_without_rules_nothing_is_denied_and_it_is_said(shop: str, capsys: Capture) -> None:
    """A gate that nobody described is open, and every SLO without a rule is named."""
    code, printed, _ = budget(capsys, shop, "--gate", "--at", rfc3339(IN_INCIDENT))
    assert code == ExitCode.OK
    assert printed.splitlines()[-2:] == ["no rule of a gate concerns shop/calls, shop/table", "gate: open"]


@pytest.mark.usefixtures("gated")
def test_what_isn_t_known_is_no_yes(shop: str, capsys: Capture) -> None:
    """Without data the gate is closed, without a server it is no answer at all."""
    code, printed, _ = budget(capsys, shop, "--gate")
    assert (code, printed.count("denied: "), printed.count("(gate: unknown)")) == (ExitCode.ANSWER_IS_NO, 2, 2)
    code, printed, said = budget(capsys, f"http://127.0.0.1:{free_port()}", "--gate")
    assert (code, printed, "can't be reached" in said) == (ExitCode.UNREACHABLE, "", True)


def test_an_override_is_recorded_and_for_one_run(shop: str, gated: Path, capsys: Capture) -> None:
    """It passes, with author, reason and what was denied in the repository; the next run is denied again."""
    code, printed, _ = budget(capsys, shop, "--gate", *OVERRIDE)
    assert code == ExitCode.OK
    assert "override: by ana, for this run only: fixes the outage" in printed
    assert f"recorded in {gated / 'slo/overrides.jsonl'}" in printed
    (line,) = (gated / "slo/overrides.jsonl").read_text(encoding="utf-8").splitlines()
    record = json.loads(line)
    assert (record["author"], record["reason"]) == ("ana", "fixes the outage")
    assert [(each["slo"], each["when"]) for each in record["denied"]] == [("calls", "unknown"), ("table", "unknown")]
    assert budget(capsys, shop, "--gate")[0] == ExitCode.ANSWER_IS_NO


def test_an_override_may_hold_for_hours(shop: str, gated: Path, capsys: Capture) -> None:
    """Later runs pass for what was denied then, and for nothing else."""
    assert budget(capsys, shop, "--gate", *OVERRIDE, "--for", "2h")[0] == ExitCode.OK
    code, printed, _ = budget(capsys, shop, "--gate")
    assert (code, printed.count("overridden: ")) == (ExitCode.OK, 2)
    spec = gated / "slo/specs/shop.slo.yaml"
    spec.write_text(spec.read_text() + "  - {when: 'unknown ', slo: calls, answer: deny}\n", encoding="utf-8")
    code, printed, _ = budget(capsys, shop, "--gate")
    assert (code, printed.count("denied: "), printed.count("overridden: ")) == (ExitCode.ANSWER_IS_NO, 1, 1)


def test_nothing_is_recorded_where_nothing_is_denied(shop: str, shop_folder: Path, capsys: Capture) -> None:
    """An override in a pipeline that doesn't need it leaves no trace."""
    assert budget(capsys, shop, "--gate", *OVERRIDE)[0] == ExitCode.OK
    assert not (shop_folder / "slo/overrides.jsonl").exists()


def test_the_fix_of_prometheus_itself_can_be_deployed(gated: Path, capsys: Capture) -> None:
    """Nobody answers, somebody answers for it: recorded, with what the server said."""
    code, printed, said = budget(capsys, f"http://127.0.0.1:{free_port()}", "--gate", *OVERRIDE)
    assert (code, printed, "can't be reached" in said, "nothing is known" in said) == (ExitCode.OK, "", True, True)
    record = json.loads((gated / "slo/overrides.jsonl").read_text(encoding="utf-8"))
    assert {each["when"] for each in record["denied"]} == {"unreachable"}


def test_a_damaged_record_stops_the_gate(shop: str, gated: Path, capsys: Capture) -> None:
    """What can't be read is told by its place, and opens nothing."""
    (gated / "slo/overrides.jsonl").write_text("{\n", encoding="utf-8")
    code, printed, said = budget(capsys, shop, "--gate")
    assert (code, printed, "overrides.jsonl:1: the line is no override" in said) == (ExitCode.INVALID_INPUT, "", True)


@pytest.mark.usefixtures("gated")
@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("--service", "shpo"), "did you mean shop?"),
        (("--gate", "--override", "--reason", "x"), "--override needs --author"),
        (("--gate", "--override", "--author", " ", "--reason", "x"), "--override needs --author"),
        (("--gate", "--override"), "needs --author and --reason"),
        (("--gate", "--author", "ana"), "--author belongs to --override"),
        ((*OVERRIDE,), "--override belongs to --gate"),
        (("--gate", *OVERRIDE, "--for", "2d"), "longer than a day"),
        (("--gate", *OVERRIDE, "--for", "soon"), "write it like 2h"),
        (("--gate", *OVERRIDE, "--at", "2h"), "leave --at out"),
    ],
)
def test_arguments_that_don_t_fit_are_told(capsys: Capture, arguments: tuple[str, ...], cure: str) -> None:
    """Before anybody is asked, and nothing is recorded."""
    code, printed, said = budget(capsys, f"http://127.0.0.1:{free_port()}", *arguments)
    assert (code, printed, cure in said) == (ExitCode.INVALID_INPUT, "", True), said
    assert not Path("slo/overrides.jsonl").exists()


@pytest.mark.usefixtures("gated")
def test_two_ledgers_of_one_slo_are_no_answer(tmp_path: Path, capsys: Capture) -> None:
    """A server that gathers several: which of them counts nobody can tell, so neither command guesses."""
    now = int(time.time())
    of = {"service": "shop", "slo": "calls"}
    names = ("sereno:error_budget_remaining:ratio", "sereno:events:sum5m", "sereno:bad_events:sum5m")
    history = (
        HistorySample(name, {**of, "replica": replica}, at, value)
        for name in names
        for replica, value in (("a", 0.5), ("b", 0.6))
        for at in range(now - 1_200, now, 60)
    )
    with running_prometheus(tmp_path / "prometheus", history=history) as server:
        code, printed, said = budget(capsys, server.url, "--gate")
        assert (code, printed, "shop/calls more than once, with the labels replica" in said) == (2, "", True)
        assert run(["explain", "shop/calls", "--prometheus", server.url]) == ExitCode.INVALID_INPUT
        assert "2 times; they differ in replica: ask the very" in capsys.readouterr().err
