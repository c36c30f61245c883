"""`sereno postmortem draft` on a draft that is there, and with a team's own template, as a user calls it."""

import re
from pathlib import Path

import pytest
from sereno_cli.main import run
from support.incident_story import write_incident, write_logs
from support.ports import free_port


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with an open incident and logs; Prometheus doesn't answer."""
    monkeypatch.delenv("SERENO_ELASTICSEARCH_URL", raising=False)
    monkeypatch.setenv("SERENO_PROMETHEUS_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    write_incident(tmp_path / "var/incidents.sqlite", resolved=False)
    write_logs(tmp_path / "logs.sqlite")
    return tmp_path


def drafted(*options: str) -> int:
    """The exit code of a draft of the latest incident."""
    return run(["postmortem", "draft", "latest", "--log-store", "logs.sqlite", *options])


def only_draft(place: Path) -> Path:
    """The one that was written."""
    (path,) = (place / "postmortems").glob("*.md")
    return path


def test_update_keeps_peoples_words(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After the end of the incident the measured parts are new, what was told stays, and the rest is said."""
    assert drafted() == 0
    path = only_draft(place)
    assert drafted() == 2
    assert "--update renews" in capsys.readouterr().err
    text = path.read_text(encoding="utf-8")
    assert "still open" in text
    told = re.sub(r"\*told:\* …[^\n]*", "*told:* Ana: we looked.", text).replace("- hint: No deed", "- hint: One deed")
    told = told.replace("release 1.4.2", "release 1.4.3, no doubt")
    path.write_text(told, encoding="utf-8")
    write_incident(place / "var/incidents.sqlite")
    assert drafted("--update") == 0
    printed = capsys.readouterr()
    assert printed.out == f"postmortems/{path.name}\n"
    assert "renewed: banner, summary, impact, delivery, logs, affected, signs, restoration, sources" in printed.err
    assert re.search(rf"{path.name}:\d+: the measured block timeline was edited by people and is left", printed.err)
    text = path.read_text(encoding="utf-8")
    assert "still open" not in text
    assert text.count("Ana: we looked.") == told.count("Ana: we looked.") > 10
    assert "release 1.4.3, no doubt" in text


def test_what_cannot_be_renewed_is_left_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A draft without measured blocks, and one that is no text, stay as they are; --force overwrites."""
    assert drafted() == 0
    path = only_draft(place)
    for content, words in ((b"# By hand\n", "no measured blocks"), (b"\xff\xfe", "no UTF-8")):
        path.write_bytes(content)
        assert drafted("--update") == 2
        assert words in capsys.readouterr().err
        assert path.read_bytes() == content
    assert drafted("--force") == 0
    assert "## Impact" in path.read_text(encoding="utf-8")


def test_without_a_draft_update_writes_one(place: Path) -> None:
    """Whoever always says --update gets the first draft, too."""
    assert drafted("--update") == 0
    assert "## Impact" in only_draft(place).read_text(encoding="utf-8")


def test_the_teams_template_is_taken_by_itself(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """postmortems/template.md.j2 if it is there, another one by name; a mistake in it is 2 and nothing is written."""
    (place / "postmortems").mkdir()
    template = place / "postmortems/template.md.j2"
    template.write_text("# Ours: {{ incident.service }}\n", encoding="utf-8")
    assert drafted() == 0
    assert only_draft(place).read_text(encoding="utf-8") == "# Ours: transactions-api\n"
    only_draft(place).unlink()
    (place / "other.j2").write_text("# Other\n\n{{ nothing }}\n", encoding="utf-8")
    assert drafted("--template", "other.j2") == 2
    assert "other.j2:3:1: error[PM103]: 'nothing' is undefined" in capsys.readouterr().err
    assert not list((place / "postmortems").glob("*.md"))
    template.write_text("{% if %}", encoding="utf-8")
    assert drafted() == 2
    printed = capsys.readouterr().err
    assert "postmortems/template.md.j2:1:1: error[PM102]" in printed
    assert "asking" not in printed, "a template that can't be read is told before anybody is asked"
