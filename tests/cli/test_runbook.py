"""`sereno runbook` as somebody calls it at night."""

import json
from pathlib import Path

import pytest
from sereno_cli.main import run
from sereno_postmortems.store import IncidentStore
from support.incident_story import record
from support.incidents import PAGE, SLO, at, reported, webhook

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ["--runbooks", str(ROOT / "runbooks")]


def labels(**values: str) -> list[str]:
    """Options for labels."""
    return [part for name, value in values.items() for part in ("--label", f"{name}={value}")]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The file of a receiver that has heard of two alerts of one SLO, and of one disk on two machines."""
    path = tmp_path / "incidents.sqlite"
    store = IncidentStore(path)
    store.prepare()
    disk = {"alertname": "NodeDiskFilling", "severity": "warning", "mountpoint": "/data"}
    disks = [reported({**disk, "instance": f"db-{n}:9100"}, at(1)) for n in (1, 2)]
    for body in (
        webhook(disks, groupKey="{}:{}", groupLabels={"alertname": "NodeDiskFilling"}),
        webhook([reported(PAGE | {"burn": burn}, at(2)) for burn in ("fast", "slow")]),
    ):
        record(store, body, at(3))
    return path


def test_labels_are_filled_in_and_the_slos_own_runbook_follows(capsys: pytest.CaptureFixture[str]) -> None:
    """Both runbooks come, the general one first, without a placeholder left."""
    assert run(["runbook", "SLOErrorBudgetBurn", *labels(**SLO), *RUNBOOKS]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("# SLOErrorBudgetBurn\n")
    assert "\n# transactions-api / availability\n" in printed.out
    assert 'sereno:bad_events:1h{service="transactions-api", slo="availability"}' in printed.out
    assert "service=transactions-api slo=availability\n" in printed.out
    assert "SERVICE" not in printed.out.replace("replace `SERVICE` and", "")
    assert printed.err == ""


def test_labels_come_from_an_incident(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`latest` is the incident opened last; what its alerts agree on is filled in."""
    assert run(["runbook", "SLOErrorBudgetBurn", "--incident", "latest", "--database", str(database), *RUNBOOKS]) == 0
    printed = capsys.readouterr()
    assert 'slo="availability"' in printed.out
    assert "# transactions-api / availability" in printed.out
    assert printed.err == ""


def test_an_incident_without_that_alert_says_so(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another runbook than the alert's own is filled in all the same; the scrape job is the SLO's own runbook's."""
    assert run(["runbook", "SLONoData", "--incident", "latest", "--database", str(database), *RUNBOOKS]) == 0
    printed = capsys.readouterr()
    assert 'slo="availability"' in printed.out
    assert "has no alert SLONoData, but SLOErrorBudgetBurn" in printed.err
    assert 'up{job="transactions-api"}' in printed.out


def test_a_job_that_is_not_clear_is_a_choice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The SLO's own runbook names its scrape job; where it names two, or none, a person must say which one is meant."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "A.md").write_text('```promql\nup{job="JOB"}\n```\n')
    own = tmp_path / "shop/pay.md"
    call = ["runbook", "A", *labels(service="shop", slo="pay"), "--runbooks", str(tmp_path)]
    for queries, told in [
        ('up{job="a"} + up{job="b"}', "JOB stays: there are several; choose with --label job=… (a, b)"),
        ("up", "JOB stays: no label job is known; --label job=… fills it in"),
    ]:
        own.write_text(f"```promql\n{queries}\n```\n")
        assert run(call) == 0
        printed = capsys.readouterr()
        assert 'up{job="JOB"}' in printed.out
        assert told in printed.err
        assert run([*call, *labels(job="c")]) == 0
        assert 'up{job="c"}' in capsys.readouterr().out


def test_labels_that_differ_are_a_choice(database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two machines in one incident: the placeholder stays, both are named, and --label decides."""
    shelf = tmp_path / "runbooks"
    shelf.mkdir()
    (shelf / "NodeDiskFilling.md").write_text("# N\n```sh\nssh INSTANCE du MOUNTPOINT\n```\n")
    call = ["runbook", "NodeDiskFilling", "--database", str(database), "--runbooks", str(shelf)]
    call += ["--incident", "2026-11-22-nodediskfilling"]
    assert run(call) == 0
    printed = capsys.readouterr()
    assert printed.out == "# N\n```sh\nssh INSTANCE du /data\n```\n"
    assert "INSTANCE stays" in printed.err
    assert "--label instance=… (db-1:9100, db-2:9100)" in printed.err
    assert run([*call, *labels(instance="db-2:9100")]) == 0
    assert "ssh db-2:9100 du /data" in capsys.readouterr().out


def test_scripts_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Queries and commands one by one, with their marks, and what stayed."""
    assert run(["runbook", "SLONoData", *labels(service="shop", slo='a"b'), "--format", "json", *RUNBOOKS]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["labels"] == {"service": "shop", "slo": 'a"b'}
    (runbook,) = document["runbooks"]
    first = runbook["blocks"][0]
    assert runbook["text"].splitlines()[first.pop("line") - 1].startswith("```promql")
    assert first == {
        "kind": "promql",
        "may_be_empty": False,
        "content": 'last_over_time(sereno:coverage:ratio{service="shop", slo="a\\"b"}[10m])',
    }
    assert document["unfilled"] == [{"placeholder": "JOB", "has_value": False}]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["SloErrorBudgetBurn"], 2, "no runbook SloErrorBudgetBurn.md; nearest: SLOErrorBudgetBurn"),
        (["../README"], 2, "no runbook ../README.md"),
        (["Watchdog", "--label", "service"], 2, "service isn't name=value"),
        (["Watchdog", "--label", "a-b=c"], 2, "a-b=c isn't name=value"),
        (["Watchdog", "--label", "a=\udcff"], 2, "isn't name=value in UTF-8"),
        (["Watchdog", "--label", "a=b", "--label", "a=c"], 2, "a is given twice"),
        (["Watchdog", "--database", "x.sqlite"], 2, "say which one with --incident ID"),
        (["Watchdog", "--incident", "latest", "--database", "x", "--incidents", "http://x"], 2, "name two places"),
        (["Watchdog", "--incident", "latest", "--incidents", "x:1"], 2, "doesn't begin with http:// or https://"),
        (["Watchdog", "--incident", "latest", "--incidents", "http://127.0.0.1:9"], 3, "can't be read"),
        (["Watchdog", "--incident", "latest", "--database", "nowhere.sqlite"], 3, "nowhere.sqlite"),
        (["Watchdog", "--runbooks", "nowhere"], 3, "nowhere: No such file or directory; name the folder"),
    ],
)
def test_mistakes_are_told_with_their_cure(
    arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code and message; nothing on standard output."""
    given = arguments if "--runbooks" in arguments else [*arguments, *RUNBOOKS]
    assert run(["runbook", *given]) == code
    printed = capsys.readouterr()
    assert told in printed.err
    assert printed.out == ""


def test_an_unknown_incident_is_a_mistake(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest ids are named."""
    assert run(["runbook", "Watchdog", "--incident", "2026-11-22", "--database", str(database), *RUNBOOKS]) == 2
    assert "nearest: 2026-11-22-" in capsys.readouterr().err


def test_hostile_labels_do_not_break_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Quotes and commands in label values stay values, and what isn't safe stays away and is told."""
    hostile = labels(service='x"} or vector(1) #', slo="$(reboot)\n")
    assert run(["runbook", "SLOErrorBudgetBurn", *hostile, *RUNBOOKS]) == 0
    printed = capsys.readouterr()
    assert '{service="x\\"} or vector(1) #", slo="$(reboot)\\n"}' in printed.out
    assert "service='x\"} or vector(1) #' slo=SLO\n" in printed.out
    assert "SLO stays: the value of slo isn't safe everywhere in commands" in printed.err
