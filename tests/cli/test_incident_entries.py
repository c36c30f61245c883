"""`sereno incidents list|show|ack|note|…` on a database and on a running receiver."""

import json
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest
from sereno_cli.main import run
from sereno_postmortems.store import IncidentStore
from sereno_postmortems.webhook import Delivery, read_delivery
from support.incidents import PAGE, at, reported, running_receiver, webhook
from support.ports import free_port

BASE_ID = "2026-11-22-transactions-api-availability"
LOGIN = "ana:the-password-of-ana@"


def with_one_page(path: Path, labels: dict[str, str] | None = None) -> Path:
    """A database with one open incident."""
    store = IncidentStore(path)
    store.prepare()
    annotations = {"summary": "5 % fail", "runbook_url": "https://r.example/burn"}
    raw = json.dumps(webhook([reported(labels or PAGE, at(10), annotations=annotations)])).encode()
    delivery = read_delivery(raw, at(10, 0, 12))
    assert isinstance(delivery, Delivery)
    store.record(delivery, raw)
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of its own for each test."""
    return with_one_page(tmp_path / "i.sqlite")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A receiver where people log in, with one open incident."""
    folder = tmp_path_factory.mktemp("receiver")
    hashed = bcrypt.hashpw(b"the-password-of-ana", bcrypt.gensalt(4)).decode()
    (folder / "web.yml").write_text(json.dumps({"basic_auth_users": {"ana": hashed}}))
    database = with_one_page(folder / "i.sqlite")
    with running_receiver(database, "--web-config", folder / "web.yml", login=LOGIN) as server:
        yield server.url


def test_what_people_do_is_written_and_shown(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Acknowledgement, mitigation, note, severity, impact, link, correction and withdrawal are in `show`."""
    place = ["--database", str(database)]
    calls = [
        ["ack", "latest", "--by", "ana", "--at", "2026-11-22T10:03:00Z"],
        ["mitigation", BASE_ID, "restarted", "--helped", "no", "--by", "ana", "--at", "2026-11-22T10:05:00Z"],
        ["note", "latest", "401 everywhere", "--by", "ben", "--at", "2026-11-22T10:06:00Z"],
        ["severity", "latest", "SEV2", "--by", "ana"],
        ["impact", "latest", "nobody could pay", "--by", "ana"],
        ["link", "latest", "https://t.example/1", "ticket", "--by", "ana"],
    ]
    ids = {}
    for call in calls:
        assert run(["incidents", *call, *place]) == 0
        ids[call[0]] = capsys.readouterr().out.split("entry ")[1].rstrip(")\n")
    assert run(["incidents", "note", "latest", "403", "--corrects", ids["note"][:12], "--by", "ben", *place]) == 0
    assert run(["incidents", "withdraw", "latest", ids["severity"], "none after all", "--by", "ana", *place]) == 0
    capsys.readouterr()
    assert run(["incidents", "show", *place]) == 0
    shown = capsys.readouterr().out
    for words in (
        "acknowledged 2026-11-22 10:03:00 by ana",
        "10:05:00 mitigation (didn't help) by ana: restarted",
        f"10:06:00 note by ben: 401 everywhere  [{ids['note']}]  (corrected)",
        f"severity by ana: SEV2  [{ids['severity']}]  (corrected)",
        f"withdrawal of {ids['severity']} by ana: none after all",
        "link by ana: https://t.example/1 ticket",
        "runbook https://r.example/burn",
    ):
        assert words in shown, words
    assert run(["incidents", "show", BASE_ID, "--format", "json", *place]) == 0
    assert len(json.loads(capsys.readouterr().out)["entries"]) == 8
    assert run(["incidents", "list", "--status", "open", *place]) == 0
    listed = capsys.readouterr().out
    assert BASE_ID in listed
    assert "ana" in listed


def test_over_http_the_author_is_who_logs_in(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The address of `--incidents` logs in; nobody writes under another's name, and no password is shown."""
    place = ["--incidents", address]
    assert run(["incidents", "ack", "latest", *place]) == 0
    assert f"{BASE_ID}: acknowledgement by ana on record" in capsys.readouterr().out
    assert run(["incidents", "note", "latest", "x", "--by", "ben", *place]) == 2
    assert "you are ana" in capsys.readouterr().err
    assert run(["incidents", "show", *place]) == 0
    assert "acknowledged by nobody" not in capsys.readouterr().out
    assert run(["incidents", "list", "--incidents", address.replace(LOGIN, "")]) == 3
    assert "password" in capsys.readouterr().err
    assert run(["incidents", "list", "--incidents", address.replace("the-password", "guess")]) == 3
    assert run(["incidents", "list", "--incidents", f"http://{LOGIN}127.0.0.1:{free_port()}"]) == 3
    told = capsys.readouterr().err
    assert "guess" not in told
    assert "the-password" not in told


def test_wrong_arguments_write_nothing(database: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Unknown incidents and entries, times to come, words that can't be kept: told with 2; missing places with 3."""
    place = ["--database", str(database)]
    for call, told in (
        (["ack", "2026-11-22-nix", *place], f"nearest: {BASE_ID}"),
        (["note", "latest", " ", *place], "some words are expected"),
        (["note", "latest", "\x1b[2J", *place], "control characters"),
        (["note", "latest", "x", "--corrects", "0", *place], "no entry of the incident begins with '0'"),
        (["note", "latest", "x", "--at", "noon", *place], "'noon' is no time"),
        (["note", "latest", "x", "--at", "2100-01-01T00:00:00Z", *place], "still to come"),
        (["link", "latest", "javascript:alert(1)", *place], "http:// or https://"),
        (["ack", "latest", *place, "--incidents", "http://127.0.0.1:1"], "name two places"),
        (["ack", "latest", "--incidents", "ftp://127.0.0.1:1"], "doesn't begin with http://"),
    ):
        assert run(["incidents", *call]) == 2, call
        assert told in capsys.readouterr().err, call
    assert run(["incidents", "ack", "latest", "--database", str(tmp_path / "nix.sqlite")]) == 3
    assert "no such file" in capsys.readouterr().err
    assert not (tmp_path / "nix.sqlite").exists()
    (incident,) = IncidentStore(database).incidents()
    assert incident.entries == ()


def test_the_author_is_who_git_knows(
    database: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --by the name is git's, else the account's; it is told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    for name in ("GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("USER", "account")
    assert run(["incidents", "ack", "latest", "--database", str(database)]) == 0
    assert "by account on record" in capsys.readouterr().out
    (tmp_path / "gitconfig").write_text("[user]\n  name = Ana García\n")
    assert run(["incidents", "note", "latest", "x", "--database", str(database)]) == 0
    assert "by Ana García on record" in capsys.readouterr().out


def test_labels_and_words_do_not_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Control signs and markup of labels are shown, not obeyed."""
    labels = {**PAGE, "severity": "\x1b[2J[bold red]critical[/]", "alertname": "\x1b]0;x\x07"}
    place = ["--database", str(with_one_page(tmp_path / "i.sqlite", labels))]
    assert run(["incidents", "list", *place]) == 0
    assert run(["incidents", "show", *place]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[bold red]critical[/]" in shown
