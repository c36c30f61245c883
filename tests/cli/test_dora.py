"""`sereno dora` as a user calls it: figures, deployments, why; and what it says of mistakes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sereno_backends.devops import DevOpsEvent, RunStatus
from sereno_cli.main import run
from support import dora
from support.dora import DAY, deployment, incident, push, resolved, store_with

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _recent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The events of these tests ended five days ago."""
    begin = (datetime.now(UTC) - timedelta(days=7)).replace(hour=8, minute=0, second=0, microsecond=0)
    monkeypatch.setattr(dora, "BEGIN", begin)


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs a command of `sereno dora`."""

    def asked(*arguments: str) -> tuple[int, str, str]:
        code = run(["dora", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return asked


def story() -> list[DevOpsEvent]:
    """Three deployments, the second of which was taken back in an incident, and two that don't count."""
    return [
        *push("base", 0, before=None),
        deployment("101", 10, "base", version="v1"),
        *push("c1 c2", DAY, before="base"),
        deployment("102", DAY + 30, "c2", version="v2", actor="ada"),
        incident("I7", DAY + 34, title="carts empty"),
        deployment("103", DAY + 50, "base", version="v1"),
        resolved("I7", DAY + 64),
        deployment("104", DAY + 90, "c2", status=RunStatus.FAILED),
        deployment("105", DAY + 95, "c2", environment="staging"),
    ]


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The story, stored."""
    store_with(tmp_path / "devops.sqlite", story())
    return str(tmp_path / "devops.sqlite")


def test_figures_come_with_the_counts_that_they_rest_on(ask: Ask, store: str) -> None:
    """Three deployments are shown as three, not as a ratio alone; a window older than the store says so."""
    code, out, _ = ask("figures", "--store", store)
    assert code == 0
    header, row, note = out.splitlines()
    assert header.split()[:2] == ["service", "environment"]
    for cell in ("checkout", "production", "3 (+1 not out)", "30 min", "1 of 3: 33.3 %", "1: 33.3 %"):
        assert cell in row
    assert note.startswith("events begin at ")
    assert note.endswith("the window of 30d is not full")


def test_figures_for_scripts(ask: Ask, store: str) -> None:
    """The same as JSON; another window counts other deployments."""
    code, out, _ = ask("figures", "--store", store, "--format", "json")
    (row,) = json.loads(out)["figures"]
    assert code == 0
    assert (row["deployments"], row["lead_time_median_seconds"], row["unsuccessful"]) == (3, 1800, 1)
    assert row["verdicts"] == {"failed": 1, "well": 2, "open": 0}
    _, out, _ = ask("figures", "--store", store, "--format", "json", "--window", "1d")
    (row,) = json.loads(out)["figures"]
    assert (row["deployments"], row["change_failure_ratio"], row["rework_ratio"]) == (0, None, None)


def test_deployments_are_listed_with_their_verdicts(ask: Ask, store: str) -> None:
    """The newest first; --failed leaves the one that failed, --since what is young enough."""
    code, out, _ = ask("deployments", "--store", store)
    rows = [line.split() for line in out.splitlines()[1:]]
    assert code == 0
    assert [row[4] for row in rows] == ["103", "102", "101"]
    assert rows[1][6:] == ["ada", "failed", "rolled_back"]
    assert rows[0][-1] == "rework"
    _, out, _ = ask("deployments", "--store", store, "--failed", "--format", "json")
    (failed,) = json.loads(out)
    assert (failed["deployment"]["deployment_id"], failed["rule"]) == ("102", "rolled_back")
    code, out, _ = ask("deployments", "--store", store, "--since", "1d")
    assert code == 1
    assert "--since" in out


@pytest.mark.parametrize("name", ["102", "sha", "v2"])
def test_why_tells_every_rule_with_evidence(ask: Ask, store: str, name: str) -> None:
    """Which rules hold and which don't, each with times and ids of events, by the deployment's id or commit."""
    code, out, _ = ask("why", dora.sha("c2")[:10] if name == "sha" else name, "--store", store)
    assert code == 0
    events = {event.event_id: event for event in story()}
    lines = out.splitlines()
    assert lines[0].startswith("102 (v2) of checkout to production, ")
    assert lines[0].endswith(", by ada; github, acme/shop")
    assert lines[1] == "verdict: failed, by the rule rolled_back"
    rules = {line.split()[1]: line.split()[0] for line in lines[2:] if line.startswith("  ") and "[event" not in line}
    assert rules == {"incident_names_it": "no", "rolled_back": "yes", "hotfixed": "no", "incident_followed": "yes"}
    named = [line.split("[event ")[1].split("]")[0] for line in lines if "[event " in line]
    assert [type(events[event_id].subject).__name__ for event_id in named[:3]] == [
        "Deployment",
        "IncidentEvent",
        "IncidentEvent",
    ]
    assert any("restored at" in line and "after 30 min" in line for line in lines)
    assert "brought 2 commits, which had waited 30 min (median)" in lines


@pytest.mark.parametrize(
    ("name", "told"), [("104", "failed to go out"), ("105", "staging doesn't count as production")]
)
def test_why_tells_why_there_is_no_verdict(ask: Ask, store: str, name: str, told: str) -> None:
    """What didn't go out and what isn't production is no change failure, and that is said."""
    code, out, _ = ask("why", name, "--store", store)
    assert code == 0
    assert told in out
    _, out, _ = ask("why", name, "--store", store, "--format", "json")
    assert json.loads(out)[0]["verdict"] is None


def test_an_unknown_deployment_has_the_nearest_ids(ask: Ask, store: str) -> None:
    """A slip of a digit is answered with what there is."""
    code, out, err = ask("why", "1o2", "--store", store)
    assert (code, out) == (2, "")
    assert err == "sereno dora: no deployment is called 1o2; did you mean 102?\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["figures", "--window", "soon"], 2, "'soon' is no time"),
        (["figures", "--window", "now"], 2, "--window now is no length of time; write for example 30d"),
        (
            ["figures", "--service", "chekout"],
            2,
            "no deployment of chekout to production is known; did you mean checkout?",
        ),
        (["deployments", "--since", "2026-13-01"], 2, "'2026-13-01' is no time"),
        (["figures", "--target", "main"], 2, "--target names a target of a configuration; add --config exporters.yaml"),
        (["figures", "--config", "c.yaml"], 2, "--store and --config name two stores; give one"),
    ],
)
def test_mistakes_are_told_with_their_cure(ask: Ask, store: str, arguments: list[str], code: int, told: str) -> None:
    """One line on standard error, nothing on standard output, no traceback."""
    found, out, err = ask(*arguments, "--store", store)
    assert (found, out) == (code, "")
    assert err.startswith(f"sereno dora: {told}")
    assert err.count("\n") == 1


def test_a_store_that_isnt_there_is_told_and_not_made(ask: Ask, tmp_path: Path) -> None:
    """Exit code 3, with the option that names another; asking creates no file."""
    code, out, err = ask("figures", "--store", str(tmp_path / "none.sqlite"))
    assert (code, out) == (3, "")
    assert "name the file of `sereno collect devops` with --store" in err
    assert not list(tmp_path.iterdir())


def test_an_empty_store_says_what_is_missing(ask: Ask, tmp_path: Path) -> None:
    """No deployment to production is an answer of no."""
    store_with(tmp_path / "devops.sqlite")
    code, out, _ = ask("figures", "--store", str(tmp_path / "devops.sqlite"))
    assert code == 1
    assert "no deployment to production is in the store" in out


@pytest.mark.usefixtures("store")
def test_the_rules_of_a_configuration_decide_here_too(ask: Ask, tmp_path: Path) -> None:
    """What the exporter serves and what people look up are judged alike."""
    config = tmp_path / "exporters.yaml"
    text = "version: sereno/v1\nexporters:\n  dora:\n    targets:\n      main: {store: devops.sqlite, rules: {RULE}}\n"
    config.write_text(text.replace("RULE", "rollback_within: 10m"))
    _, out, _ = ask("why", "102", "--config", str(config))
    assert "verdict: failed, by the rule incident_followed" in out
    config.write_text(text.replace("RULE", "rollback_within: 10"))
    code, _, err = ask("why", "102", "--config", str(config))
    assert code == 2
    assert "exporters.yaml:5:61: error[SLO014]: 10 has no unit (add one: 10s)" in err
    config.write_text(text.replace("RULE", "rollback_within: 100d"))
    code, _, err = ask("why", "102", "--config", str(config))
    assert code == 2
    assert "error[SLO014]: rollback_within of 8,640,000 s decides nothing (write one up to 90d, as 24h)" in err
    config.write_text(text.replace("RULE", ""))
    code, _, err = ask("why", "102", "--config", str(config), "--target", "other")
    assert (code, err) == (2, f"sereno dora: {config} has no target other for dora; there are: main\n")
