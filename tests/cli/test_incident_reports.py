"""`sereno incidents report` and `sereno handover` as users call them, on real parts."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sereno_cli.main import run
from support.alertmanager import running_alertmanager
from support.incident_story import write_incident
from support.incidents import webhook_config
from support.ports import free_port
from support.prometheus import HistorySample, running_prometheus


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A page of some hours ago that lasted a quarter of an hour."""
    write_incident(tmp_path / "i.sqlite")
    return tmp_path / "i.sqlite"


def test_a_report_is_written_with_its_charts_beside_it(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The paths of all files are told, and the report names each of its charts; without --out it has none."""
    out = tmp_path / "reports" / "the month.md"
    month = f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m}"
    place = ["--database", str(database), "--month", month]
    assert run(["incidents", "report", "--out", str(out), *place]) == 0
    told = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert told[0] == out
    assert all(path.is_file() for path in told)
    names = [path.name.replace(" ", "%20") for path in told[1:]]
    assert "the%20month-incidents-by-week.svg" in names
    assert all(f"({name})" in out.read_text() for name in names)
    assert run(["incidents", "report", *place]) == 0
    printed = capsys.readouterr().out
    assert "| MTTR, median | 15 min |" in printed
    assert ".svg" not in printed


def test_the_figures_are_there_as_json(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For scripts: times in seconds, nights as days."""
    month = f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m}"
    assert run(["incidents", "report", "--format", "json", "--database", str(database), "--month", month]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["resolve"] == {"number": 1, "median": 900.0, "longest": 900.0}
    assert found["weeks"][0]["monday"].count("-") == 2


def test_wrong_arguments_are_told(database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Months, zones, durations, times, places and folders that can't be: exit 2 or 3, and nothing is written."""
    place = ["--database", str(database)]
    (tmp_path / "file").touch()
    for call, code, words in (
        (["incidents", "report", "--month", "2026-13", *place], 2, "write it like 2026-11"),
        (["incidents", "report", "--timezone", "../etc", *place], 2, "Europe/Madrid"),
        (["incidents", "report", "--noise-within", "soon", *place], 2, "write 30m"),
        (["incidents", "report", "--out", str(tmp_path / "file" / "x.md"), *place], 2, "can't be written"),
        (["handover", "--since", "lunch", *place], 2, "'lunch' is no time"),
        (["handover", "--prometheus", "nowhere", *place], 2, "http://"),
        (["handover", "--alertmanager", "nowhere", *place], 2, "http://"),
        (["handover", "--database", str(tmp_path / "nix.sqlite")], 3, "no such file"),
    ):
        assert run(call) == code, call
        assert words in capsys.readouterr().err, call
    assert not (tmp_path / "nix.sqlite").exists()


def test_a_handover_asks_alertmanager_and_prometheus(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is silenced comes from a real Alertmanager, budgets from a real Prometheus."""
    now = datetime.now(UTC)
    history = [
        HistorySample("sereno:error_budget_remaining:ratio", {"service": name, "slo": "availability"}, at, left)
        for name, left in (("shop", 0.031), ("stock", 0.8), ("mail", -0.2))
        for at in (now.timestamp() - 60, now.timestamp())
    ]
    config = webhook_config(tmp_path, "http://127.0.0.1:1/")
    with (
        running_alertmanager(config, tmp_path / "alertmanager") as alertmanager,
        running_prometheus(tmp_path / "prometheus", history=history) as prometheus,
    ):
        for comment in ("index | rebuild", "is over"):
            silence = {
                "matchers": [
                    {"name": "service", "value": 'sh"op', "isRegex": False, "isEqual": True},
                    {"name": "slo", "value": "a.*", "isRegex": True, "isEqual": False},
                ],
                "startsAt": now.isoformat(),
                "endsAt": (now + timedelta(hours=2)).isoformat(),
                "createdBy": "ana",
                "comment": comment,
            }
            posted = httpx.post(f"{alertmanager.url}/api/v2/silences", json=silence).raise_for_status().json()
        httpx.delete(f"{alertmanager.url}/api/v2/silence/{posted['silenceID']}").raise_for_status()
        asked = ["--alertmanager", alertmanager.url, "--prometheus", prometheus.url]
        assert run(["handover", "--database", str(database), *asked]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert (
        f'| \\{{service="sh\\\\"op", slo!\\~"a.\\*"\\}} | {now + timedelta(hours=2):%Y-%m-%d %H:%M} | ana' in told.out
    )
    assert "index \\| rebuild" in told.out
    assert "is over" not in told.out
    assert told.out.index("mail/availability | -20 %") < told.out.index("shop/availability | 3.1 %")
    assert "stock" not in told.out


def test_servers_that_do_not_answer_are_told_in_their_place(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest is handed over all the same, and no password is shown."""
    gone = f"http://ana:password-of-ana@127.0.0.1:{free_port()}"
    assert run(["handover", "--database", str(database), "--alertmanager", gone, "--prometheus", gone]) == 0
    told = capsys.readouterr()
    assert told.out.count("Not known: ") == 2
    assert told.err.count("warning: ") == 2
    assert "password-of-ana" not in told.out + told.err
    assert "## Ended (1)" in told.out
