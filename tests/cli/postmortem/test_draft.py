"""`sereno postmortem draft` as a user calls it: right, wrong, and with parts missing."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sereno_backends.devops import RunStatus
from sereno_backends.gate_overrides import Denial, GateOverride, record_override
from sereno_cli.main import run
from support.dora import deployed, sha, store_with
from support.incident_story import history, minute, write_incident, write_logs
from support.incidents import running_receiver
from support.ports import free_port
from support.prometheus import running_prometheus

Draft = Callable[..., int]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own settings don't choose the sources of these tests."""
    monkeypatch.delenv("SERENO_ELASTICSEARCH_URL", raising=False)
    monkeypatch.setenv("SERENO_PROMETHEUS_URL", f"http://127.0.0.1:{free_port()}")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An incident database with the story's incident."""
    path = tmp_path / "incidents.sqlite"
    write_incident(path)
    return path


@pytest.fixture
def incident_id(database: Path) -> str:
    """The id of the story's incident."""
    return write_incident(database)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Prometheus with the story's history."""
    with running_prometheus(tmp_path_factory.mktemp("cli"), history=history()) as server:
        yield server.url


def test_a_draft_from_all_three_sources(
    tmp_path: Path, database: Path, incident_id: str, prometheus: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The draft holds the true figures; the path is alone on standard output, progress is on standard error."""
    write_logs(tmp_path / "logs.sqlite")
    out = tmp_path / "out"
    places = ["--database", str(database), "--prometheus", prometheus, "--log-store", str(tmp_path / "logs.sqlite")]
    assert run(["postmortem", "draft", incident_id, *places, "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{out / incident_id}.md\n"
    assert "counting failed requests and budget" in printed.err
    assert "warning" not in printed.err
    text = (out / f"{incident_id}.md").read_text(encoding="utf-8")
    assert "481 in the evidence window" in text
    assert "| failed requests (bad events) | 421 ·" in text
    assert "fault_started: fault injected" in text
    assert "**not measured**" not in text
    charts = sorted(path.name for path in (out / incident_id).iterdir())
    assert charts == [f"transactions-api-availability-{kind}.svg" for kind in ("errors", "events", "latency")]
    assert all(f"]({incident_id}/{name})" in text for name in charts)


def test_latest_is_the_incident_opened_last(tmp_path: Path, database: Path, incident_id: str) -> None:
    """`latest` finds the incident without its id."""
    assert run(["postmortem", "draft", "latest", "--database", str(database), "--out", str(tmp_path / "o")]) == 0
    assert (tmp_path / "o" / f"{incident_id}.md").exists()


def test_overridden_gates_are_in_the_timeline(
    tmp_path: Path, database: Path, incident_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever let a deployment pass around the incident is named with the reason; what can't be read is a warning."""
    file, out = tmp_path / "overrides.jsonl", tmp_path / "out"
    denied = (Denial("checkout", "calls", "burning", "burning: critical outage 2m"),)
    for at, author in ((minute(58), "ana"), (minute(-200), "ben")):
        record_override(file, GateOverride(at, at, author, "mends | the outage", denied))
    call = ["postmortem", "draft", incident_id, "--database", str(database), "--out", str(out)]
    assert run([*call, "--overrides", str(file)]) == 0
    text = (out / f"{incident_id}.md").read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if "Deployment gate overridden" in line)
    assert f"{minute(58):%H:%M:%S}" in row
    assert "by ana: mends \\| the outage (checkout/calls: burning: critical outage 2m)" in row
    assert "[R1](#r1)" in row
    assert "ben" not in text
    file.write_text("{\n", encoding="utf-8")
    assert run([*call, "--overrides", str(file), "--force"]) == 0
    assert "warning: not measured: " + str(file) in capsys.readouterr().err
    assert "Overridden deployment gates: **not measured**" in (out / f"{incident_id}.md").read_text(encoding="utf-8")


def test_deployments_are_lines_and_suspects(
    tmp_path: Path, database: Path, incident_id: str, prometheus: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What went out before the burn and what ended it are told with sha, environment and people; the rest isn't."""
    begin = minute(0)
    store_with(
        tmp_path / "devops.sqlite",
        [
            *deployed("77", begin + timedelta(minutes=56, seconds=12.345), "ada", author="Bea | Ops"),
            *deployed("78", begin + timedelta(minutes=74), "carl"),
            *deployed("76", begin + timedelta(minutes=-5), ""),
            *deployed("79", begin + timedelta(minutes=58), "dan", environment="staging"),
            *deployed("80", begin + timedelta(minutes=57), "eve", status=RunStatus.FAILED),
            *deployed("81", begin + timedelta(minutes=-300), "fay"),
        ],
    )
    out = tmp_path / "out"
    call = ["postmortem", "draft", incident_id, "--database", str(database), "--prometheus", prometheus]
    call += ["--out", str(out), "--devops-store", str(tmp_path / "devops.sqlite")]
    assert run(call) == 0
    text = (out / f"{incident_id}.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and ": deployed " in line]
    assert [row.split(" | ")[1].split(" to ")[0] for row in rows] == [
        f"checkout: deployed {sha(number)[:10]}" for number in ("76", "77", "78")
    ]
    assert f"| {minute(56, 12):%Y-%m-%d %H:%M:%S} |" in rows[1]
    assert "to production by ada (last commit by Bea \\| Ops: change 77)" in rows[1]
    assert "[D1](#d1)" in rows[1]
    hints = [line for line in text.splitlines() if line.startswith("- hint: checkout: deployed")]
    assert "4 min before the burn began" in hints[0]
    assert "by carl" in hints[1]
    assert "after the burn began" in hints[1]
    assert len(hints) == 2
    assert "store of DevOps events" in text.split("### D1")[1]
    call[-1] = str(tmp_path / "missing.sqlite")
    assert run([*call, "--force"]) == 0
    assert "warning: not measured: store of DevOps events" in capsys.readouterr().err
    assert "Deployments: **not measured**" in (out / f"{incident_id}.md").read_text(encoding="utf-8")


def test_a_store_without_suspects_says_so(tmp_path: Path, database: Path, incident_id: str, prometheus: str) -> None:
    """Nothing was deployed: that is an answer, with the store as its source; without a store nothing is said."""
    store_with(tmp_path / "devops.sqlite")
    call = ["postmortem", "draft", incident_id, "--database", str(database), "--prometheus", prometheus]
    call += ["--out", str(tmp_path)]
    assert run([*call, "--devops-store", str(tmp_path / "devops.sqlite")]) == 0
    told = "- hint: Nothing was deployed to production in the 1 h before the burn began"
    assert told in (tmp_path / f"{incident_id}.md").read_text(encoding="utf-8")
    assert run([*call, "--force"]) == 0
    assert "deployed to production" not in (tmp_path / f"{incident_id}.md").read_text(encoding="utf-8")


def test_missing_sources_are_warnings_and_the_draft_is_written(
    tmp_path: Path, database: Path, incident_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without Prometheus and logs: exit 0, a warning for each, and the draft says what wasn't measured."""
    assert run(["postmortem", "draft", incident_id, "--database", str(database), "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert printed.err.count("warning: not measured") == 2
    assert "can't be reached" in printed.err
    assert "no log store was named" in printed.err
    assert "**not measured**" in (tmp_path / f"{incident_id}.md").read_text(encoding="utf-8")


def test_the_environment_selects_elasticsearch(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SERENO_ELASTICSEARCH_URL outranks --log-store; its silence is a warning that names the address."""
    port = free_port()
    monkeypatch.setenv("SERENO_ELASTICSEARCH_URL", f"http://127.0.0.1:{port}")
    write_logs(tmp_path / "logs.sqlite")
    options = ["--database", str(database), "--log-store", str(tmp_path / "logs.sqlite"), "--out", str(tmp_path)]
    assert run(["postmortem", "draft", "latest", *options]) == 0
    assert str(port) in capsys.readouterr().err


def test_an_existing_draft_is_not_overwritten(
    tmp_path: Path, database: Path, incident_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """People's work stays: exit 2 and a cure; --force overwrites."""
    path = tmp_path / f"{incident_id}.md"
    path.write_text("people's work", encoding="utf-8")
    command = ["postmortem", "draft", incident_id, "--database", str(database), "--out", str(tmp_path)]
    assert run(command) == 2
    assert "--force" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "people's work"
    assert run([*command, "--force"]) == 0
    assert path.read_text(encoding="utf-8").startswith("# Postmortem: transactions-api / availability")


@pytest.mark.parametrize("wrong", ["2026-11-22-transactions-api-latency", "../../etc/passwd", "", "%00", "LATEST"])
def test_an_unknown_incident_names_the_nearest(
    tmp_path: Path, database: Path, incident_id: str, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, the nearest ids are named, nothing is written."""
    out = tmp_path / "out"
    assert run(["postmortem", "draft", wrong, "--database", str(database), "--out", str(out)]) == 2
    assert incident_id in capsys.readouterr().err
    assert not out.exists()


def test_an_unreachable_record_is_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A database that isn't there, one that is none, and a silent receiver are told, exit 3, nothing is made."""
    notes = tmp_path / "notes.txt"
    notes.write_text("words\n" * 500, encoding="utf-8")
    for place in (
        ["--database", str(tmp_path / "missing.sqlite")],
        ["--database", str(notes)],
        ["--incidents", f"http://127.0.0.1:{free_port()}"],
    ):
        assert run(["postmortem", "draft", "latest", *place, "--out", str(tmp_path / "out")]) == 3, place
        assert "postmortem: " in capsys.readouterr().err
    assert run(["postmortem", "draft", "latest", "--incidents", "http://[::1"]) == 2
    assert "is no URL" in capsys.readouterr().err
    assert {entry.name for entry in tmp_path.iterdir()} == {"notes.txt"}


def test_an_empty_record_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A receiver that has no incidents yet says so."""
    with running_receiver(tmp_path / "empty.sqlite") as server:
        assert run(["postmortem", "draft", "latest", "--incidents", server.url, "--out", str(tmp_path / "o")]) == 2
    assert "no incidents yet" in capsys.readouterr().err


def test_over_http_it_is_the_same_record(tmp_path: Path, database: Path, incident_id: str) -> None:
    """From a running receiver the draft is the same as from its file, but for the place."""
    options = ["--out", str(tmp_path / "file")]
    assert run(["postmortem", "draft", incident_id, "--database", str(database), *options]) == 0
    with running_receiver(database) as server:
        options = ["--incidents", server.url, "--out", str(tmp_path / "http")]
        assert run(["postmortem", "draft", incident_id, *options]) == 0
    by_file, by_http = (
        (tmp_path / kind / f"{incident_id}.md").read_text(encoding="utf-8").split("## Timeline")[1].split("## Log")[0]
        for kind in ("file", "http")
    )
    assert by_file == by_http
    assert "Notification received" in by_http


def test_something_else_at_the_incidents_address_is_3(
    tmp_path: Path, prometheus: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another server at that address is told, not believed."""
    assert run(["postmortem", "draft", "latest", "--incidents", prometheus, "--out", str(tmp_path)]) == 3
    assert "can't be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--prometheus", "localhost:9090"], "begin with http://"),
        (["--incidents", "http://127.0.0.1:1"], "give one"),
        (["--nonsense"], "No such option"),
    ],
)
def test_wrong_arguments_are_2(
    tmp_path: Path, database: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong address, two places at once, an unknown option: exit 2 and what to write instead."""
    out = tmp_path / "out"
    assert run(["postmortem", "draft", "latest", "--database", str(database), "--out", str(out), *options]) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_that_cannot_be_written_is_2(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where a folder has to be is told with a cure."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    out = str(tmp_path / "file" / "below")
    assert run(["postmortem", "draft", "latest", "--database", str(database), "--out", out]) == 2
    assert "--out" in capsys.readouterr().err


def test_an_incident_address_without_http_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A word that is no address is a wrong argument, with an example of a right one."""
    assert run(["postmortem", "draft", "latest", "--incidents", "nonsense", "--out", str(tmp_path)]) == 2
    assert "http://127.0.0.1:19093" in capsys.readouterr().err
