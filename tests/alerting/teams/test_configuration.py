"""What is written from teams: accepted by Alertmanager's own tools, and telling whom it should."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from sereno_alerting.configuration import configuration_text
from sereno_alerting.teams import read_teams
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from sereno_slo import SourceFile

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "alerting/alertmanager"
HEAD = """\
version: sereno/v1
secrets: /run/secrets
smtp: {smarthost: "smtp.example.org:587", from: a@example.org, username: a, password_file: p, require_tls: false}
heartbeat: {url: "https://heartbeat.example.org/x", token_file: /etc/h}
wait_for_cause: {shop/latency: 90s}
default:
  page: {pagerduty: {key_file: k}, also: {after: 1h, email: chief@example.org}}
  ticket: {email: t@example.org, hours: {from: "08:00", to: "24:00", timezone: UTC}}
teams:
  shop:
    page: {email: [a@example.org, b@example.org], also: {after: 15m, slack: {url_file: s, channel: "#shop"}}}
    ticket: {slack: {url_file: s}, hours: {days: [monday], from: "09:00", to: "18:00", timezone: America/Bogota}}
  bank: {page: {webhook: {url: "https://chat.example.org/x", token_file: c}}}
  quiet: {}
"""
NEWER = """\
version: sereno/v1
alertmanager: "0.26"
heartbeat: {url_file: heartbeat_url}
default: {page: {telegram: {token_file: t, chat: -100}}, ticket: {webhook: {url_file: /etc/u}}}
"""


def written(text: str, owner_label: str = "owner") -> str:
    """The configuration of a team file without mistakes."""
    teams = read_teams(SourceFile("teams.yaml", text)).teams
    assert teams is not None
    return configuration_text(teams, owner_label, ())


def receiver(text: str, name: str) -> dict[str, Any]:
    """One receiver of a configuration."""
    return next(one for one in yaml.safe_load(text)["receivers"] if one["name"] == name)


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration that uses everything that Alertmanager 0.25 knows."""
    path = tmp_path_factory.mktemp("generated") / "alertmanager.yml"
    path.write_text(written(HEAD), encoding="utf-8")
    (path.parent / "templates").mkdir()
    return path


def test_alertmanager_accepts_it(configuration: Path) -> None:
    """Its own checker finds nothing wrong."""
    check = subprocess.run(["amtool", "check-config", configuration], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr
    assert "3 inhibit rules" in check.stdout


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ("severity=critical owner=shop", "shop-page-also,shop-page"),
        ("severity=warning owner=shop", "shop-ticket-record,shop-ticket"),
        ("severity=critical owner=bank", "bank-page"),
        ("severity=warning owner=bank", "default-ticket-record,default-ticket"),
        ("severity=critical owner=quiet", "default-page-also,default-page"),
        ("severity=critical owner=shop service=shop slo=latency", "shop-page-also,shop-page"),
    ],
)
def test_who_is_told(configuration: Path, labels: str, receivers: str) -> None:
    """Besides the page, in the record and, where a team has nothing of its own, by default."""
    arguments = ["amtool", "config", "routes", "test", f"--config.file={configuration}", *labels.split()]
    assert subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.strip() == receivers


def test_waits_hours_and_secrets(configuration: Path) -> None:
    """Who is told besides waits; only tickets keep hours, and their record doesn't; secrets are whole paths."""
    text = configuration.read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    others, pages, tickets = (route["routes"] for route in document["route"]["routes"][3:])
    assert others == pages
    patient = document["route"]["routes"][2]
    assert (patient["group_wait"], patient["routes"]) == ("90s", pages)
    assert [route.get("group_wait") for route in pages] == ["15m", None, None, "1h", None]
    hours = [
        (route["receiver"], route["active_time_intervals"]) for route in tickets if "active_time_intervals" in route
    ]
    assert hours == [("shop-ticket", ["shop-hours"]), ("default-ticket", ["default-hours"])]
    (bogota,) = (each["time_intervals"] for each in document["time_intervals"] if each["name"] == "shop-hours")
    times = [{"start_time": "09:00", "end_time": "18:00"}]
    assert bogota == [{"weekdays": ["monday"], "times": times, "location": "America/Bogota"}]
    assert "smtp_auth_password_file: /run/secrets/p\n" in text
    assert receiver(text, "default-page")["pagerduty_configs"][0]["routing_key_file"] == "/run/secrets/k"
    authorization = receiver(text, "heartbeat")["webhook_configs"][0]["http_config"]["authorization"]
    assert authorization == {"credentials_file": "/etc/h"}
    assert receiver(text, "shop-page")["email_configs"][0]["to"] == "a@example.org, b@example.org"
    assert "webhook_configs" not in receiver(text, "shop-ticket")
    assert receiver(text, "shop-ticket-record")["webhook_configs"][0]["send_resolved"]


def test_newer_alertmanagers_read_more_from_files() -> None:
    """Telegram's token and a webhook's address, as Alertmanager 0.26 names them; this machine's can't check it."""
    text = written(NEWER)
    telegram = receiver(text, "default-page")["telegram_configs"][0]
    assert (telegram["bot_token_file"], telegram["chat_id"]) == ("/etc/alertmanager/secrets/t", -100)
    assert telegram["parse_mode"] == ""
    assert receiver(text, "default-ticket")["webhook_configs"][0] == {"url_file": "/etc/u", "send_resolved": True}
    assert receiver(text, "heartbeat")["webhook_configs"][0]["url_file"] == "/etc/alertmanager/secrets/heartbeat_url"


def test_owner_label_is_that_of_sereno_yaml() -> None:
    """Specs may call the owner otherwise."""
    assert '- team="shop"' in written(HEAD, "team")
    assert "owner=" not in written(HEAD, "team")


def test_comments_stand_above_what_they_explain() -> None:
    """No mark of ours is left in the file, and every line that explains is a comment."""
    text = written(HEAD)
    assert "'#'" not in text
    explained = "An owner that nobody wrote down must still reach a person.\n  - receiver: default-page\n"
    assert f"  # Wakes somebody up. {explained}" in text


def test_the_repositorys_own_is_up_to_date(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is what teams.yaml and the specs say, and `--check` tells when it isn't; every owner of a spec is a team."""
    monkeypatch.chdir(ROOT)
    assert run(["alertmanager", "generate", "--check"]) == ExitCode.OK
    assert capsys.readouterr().err == ""
    other = tmp_path / "alertmanager.yml"
    assert run(["alertmanager", "generate", "--check", "--out", str(other)]) == ExitCode.ANSWER_IS_NO
    assert not other.exists()


def test_every_secret_has_an_example() -> None:
    """Whoever installs it sees which files to write."""
    text = (FOLDER / "alertmanager.yml").read_text(encoding="utf-8")
    named = {line.rpartition("/")[2] for line in text.split() if line.startswith("/etc/alertmanager/secrets/")}
    assert named == {path.stem for path in (FOLDER / "secrets").glob("*.example")}
