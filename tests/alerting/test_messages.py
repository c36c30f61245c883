"""What people read, by every way: rendered by a real Alertmanager, received by a mail server and a web server.

SERENO_UPDATE_PICTURES=1 photographs the mail anew for the documentation, by Chromium as wide as a telephone.
"""

import html
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from sereno_alerting.configuration.receivers import receivers
from sereno_alerting.teams.model import Email, Page, PagerDuty, Slack, Teams, Telegram, Ticket
from support.alertmanager import RunningAlertmanager, firing, resolved, running_alertmanager
from support.http_sink import HttpSink, http_sink
from support.smtp_sink import Mail, SmtpSink, smtp_sink
from support.waiting import wait_for

TEMPLATES = Path(__file__).resolve().parents[2] / "alerting/alertmanager/templates"

PICTURE = Path(__file__).resolve().parents[2] / "docs/pictures/page.png"

# All tests share one Alertmanager, each with a service of its own.
pytestmark = pytest.mark.xdist_group("alertmanager-delivery")

IMPACT = "Customers can't pay"
FACTS = "Over 1h errors came 31.0 times as fast as allowed.\nError budget left: 61.3%.\nMost by http_route: /pay (412)."
LINKS = {
    "runbook_url": "https://git.example.org/runbooks/SLOErrorBudgetBurn.md",
    "incident_url": "https://incidents.example.org/incidents?service=pay&slo=availability",
    "dashboard_url": "https://grafana.example.org/d/sereno-pay?from=1790000000000&to=now",
    "logs_url": "https://logs.example.org/app?service=pay&from=1790000000000&to=1790000300000",
}
QUERY = 'service.name:"pay" AND log.level:(error OR critical OR fatal) AND @timestamp:[1790000000000 TO 1790000300000]'


@dataclass(frozen=True)
class Readers:
    """The running Alertmanager and what its readers got."""

    alertmanager: RunningAlertmanager
    web: HttpSink
    mail: SmtpSink

    def mails(self, service: str) -> list[Mail]:
        """The mails about a service."""
        return [mail for mail in self.mail.mails if f"{service}/availability" in mail.text]

    def first_mail(self, service: str) -> Mail:
        """The first of them, once it is there."""
        return wait_for(lambda: self.mails(service), what="the mail")[0]

    def told(self, path: str, service: str) -> list[Any]:
        """The bodies that were posted there about a service."""
        return [each.body for each in self.web.to(path) if service in str(each.body)]


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readers]:
    """One Alertmanager that tells every alert by all ways, as a team's pages are told."""
    folder = tmp_path_factory.mktemp("messages")
    with http_sink() as web, smtp_sink() as mail:
        for name, secret in {"password": "secret", "key": "key", "slack": f"{web.url}/slack"}.items():
            (folder / name).write_text(secret)
        configuration = {
            "global": {
                "smtp_smarthost": mail.address,
                "smtp_from": "sereno@example.org",
                "smtp_require_tls": False,
                "smtp_auth_username": "sereno",
                "smtp_auth_password_file": str(folder / "password"),
                "pagerduty_url": f"{web.url}/v2/enqueue",
            },
            "templates": [str(TEMPLATES / "*.tmpl")],
            "route": {"receiver": "all", "group_by": ["service", "slo"], "group_wait": "0s", "group_interval": "1s"},
            "receivers": [everybody(folder, web.url)],
        }
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(configuration))
        with running_alertmanager(folder / "alertmanager.yml", folder / "data") as alertmanager:
            yield Readers(alertmanager, web, mail)


def everybody(folder: Path, web: str) -> dict[str, Any]:
    """The receiver of a team that is told by every way."""
    ways = (
        PagerDuty(str(folder / "key")),
        Email(("oncall@example.org",)),
        Slack(str(folder / "slack"), "#oncall"),
        Telegram("token", 5),
    )
    nobody = Teams(Page(ways), Ticket(()), (), None, None, f"{web}/incidents", "teams.yaml")
    found = next(receiver for receiver in receivers(nobody) if receiver["name"] == "default-page")
    (telegram,) = found["telegram_configs"]
    telegram |= {"bot_token": telegram.pop("bot_token_file"), "api_url": web}  # no file before Alertmanager 0.26
    return {**found, "name": "all"}


def page(service: str, **more: str) -> dict[str, Any]:
    """A page of an SLO as the compiler writes it; `more` are labels."""
    labels = {"alertname": "SLOErrorBudgetBurn", "service": service, "slo": "availability", "severity": "critical"}
    labels |= {"owner": "payments", "burn": "fast", "long_window": "1h", **more}
    what = f"burns its error budget ({labels['burn']}, {labels['long_window']})"
    summary = f"{IMPACT}: {labels['service']}/{labels['slo']} {what}"
    return firing(labels, {"summary": summary, "impact": IMPACT, "description": FACTS, "logs_query": QUERY, **LINKS})


class _Read(HTMLParser):
    """What a person sees of a page, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: dict[str, str] = {}
        self.tags: set[str] = set()
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._link = (dict(attrs).get("href") or "") if tag == "a" else ""

    def handle_data(self, data: str) -> None:
        if data.strip() and self.lasttag != "title":
            self.words.append(data.strip())
            if self._link:
                self.links[data.strip()] = self._link
                self._link = ""


def read(mail: Mail) -> _Read:
    """The HTML of a mail."""
    part = mail.message.get_body(("html",))
    assert part is not None
    reader = _Read()
    reader.feed(part.get_content().replace("\r\n", "\n"))
    return reader


def photograph(mail: Mail) -> None:
    """The mail as a picture of the documentation."""
    part = mail.message.get_body(("html",))
    assert part is not None
    with TemporaryDirectory() as folder:
        page = Path(folder) / "mail.html"
        page.write_text(part.get_content())
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=2"]
        command = ["chromium", *options, "--window-size=500,590", f"--screenshot={PICTURE}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


def test_a_mail_says_first_what_users_feel_then_the_facts_then_where_to_go(readers: Readers) -> None:
    """In this order, with a button for each link, the query of the logs, and a silence that is filled in."""
    readers.alertmanager.post([page("mail")])
    mail = readers.first_mail("mail")
    seen = read(mail)
    text = "\n".join(seen.words)
    order = [
        "PAGE · mail/availability",
        IMPACT,
        "mail/availability burns its error budget (fast, 1h)",
        FACTS,
        "Runbook",
    ]
    places = [text.index(each) for each in order]
    assert places == sorted(places)
    assert "owner payments" in text
    assert QUERY in text
    if os.environ.get("SERENO_UPDATE_PICTURES") == "1":
        photograph(mail)
    assert seen.links["Runbook: what to do"] == LINKS["runbook_url"]
    assert seen.links["Incident: who is on it"] == LINKS["incident_url"]
    assert seen.links["Dashboard of that time"] == LINKS["dashboard_url"]
    assert seen.links["Logs of that time"] == LINKS["logs_url"]
    silence = unquote(seen.links["Silence this for a while"])
    assert silence == f'{silence.partition("#")[0]}#/silences/new?filter={{service="mail", slo="availability"}}'
    assert unquote(mail.text).count(silence) == 1
    for link in (*LINKS.values(), QUERY):
        assert f": {link}\n" in mail.text


def test_the_most_urgent_alert_is_the_headline(readers: Readers) -> None:
    """Of an outage and budgets that burn the outage is told, whichever Alertmanager names first."""
    burns = [("slow", "6h"), ("fast", "1h"), ("outage", "2m")]
    readers.alertmanager.post([page("urgent", burn=name, long_window=window) for name, window in burns])
    subject = readers.first_mail("urgent").message["Subject"]
    assert subject == f"[PAGE] {IMPACT}: urgent/availability burns its error budget (outage, 2m)"


def test_chats_have_it_short(readers: Readers) -> None:
    """Slack: who hurts, the facts, a colour. Telegram: plain, with the links that one needs first."""
    readers.alertmanager.post([page("chat")])
    (slack,) = wait_for(lambda: readers.told("/slack", "chat/"), what="Slack's message")[0]["attachments"]
    assert slack["title"] == slack["fallback"] == "[PAGE] chat/availability"
    assert slack["text"].startswith(f"*Users:* {IMPACT}\n")
    assert FACTS in slack["text"]
    assert (slack["color"], slack["title_link"]) == ("danger", LINKS["dashboard_url"])
    links = dict(reversed(link.split("|")) for link in re.findall(r"<([^<>]+)>", html.unescape(slack["text"])))
    named = {"Runbook": "runbook_url", "Incident": "incident_url", "Dashboard": "dashboard_url", "Logs": "logs_url"}
    assert {name: links[name] for name in named} == {name: LINKS[url] for name, url in named.items()}
    assert unquote(links["Silence"]).endswith('?filter={service="chat", slo="availability"}')
    short = wait_for(lambda: readers.told("/bottoken/sendMessage", "chat/"), what="Telegram's message")[0]
    assert "parse_mode" not in short or short["parse_mode"] == ""
    assert short["text"].startswith(f"[PAGE] {IMPACT}: chat/availability")
    lines = short["text"].splitlines()
    assert [line.partition(": ")[0] for line in lines[1:6]] == ["Runbook", "Incident", "Dashboard", "Logs", "Silence"]
    assert all(link in short["text"] for link in LINKS.values())
    assert len(short["text"]) < 1500


def test_pagerduty_has_owner_and_links_beside_the_text(readers: Readers) -> None:
    """What its app shows without a click; no link of it is empty."""
    readers.alertmanager.post([page("pager")])
    event = wait_for(lambda: readers.told("/v2/enqueue", "pager/"), what="PagerDuty's event")[0]
    assert event["payload"]["summary"].startswith(f"[PAGE] {IMPACT}: pager/availability")
    details = event["payload"]["custom_details"]
    assert (details["users"], details["owner"], details["incident"]) == (IMPACT, "payments", LINKS["incident_url"])
    assert FACTS in details["text"]
    runbook, silence = event["links"]
    assert (runbook["text"], runbook["href"]) == ("Runbook", LINKS["runbook_url"])
    assert unquote(silence["href"]).endswith('?filter={service="pager", slo="availability"}')


def test_an_alert_without_links_still_pages(readers: Readers) -> None:
    """An event whose link is empty may be refused: the page would be lost."""
    labels = {"alertname": "Linkless", "severity": "critical", "service": "linkless"}
    readers.alertmanager.post([firing(labels)])
    event = wait_for(lambda: readers.told("/v2/enqueue", "linkless"), what="PagerDuty's event")[0]
    assert all(link["href"].startswith("http://") for link in event["links"])


def test_an_endless_description_still_fits_telegram(readers: Readers) -> None:
    """Its 4,096 characters hold the links, however much a description says."""
    alert = page("endless")
    alert["annotations"]["description"] = "x" * 20_000
    readers.alertmanager.post([alert])
    short = wait_for(lambda: readers.told("/bottoken/sendMessage", "endless/"), what="Telegram's message")[0]["text"]
    assert len(short) < 4096
    assert LINKS["runbook_url"] in short


HOSTILE = "<script>alert(1)</script> <!channel> <@U1|x> & {{ .Labels }} $(reboot) \" ' \\"


def test_markup_in_labels_and_texts_is_inert(readers: Readers) -> None:
    """Neither tags in the mail nor mentions in Slack nor templates anywhere; a link that isn't one leads nowhere."""
    alert = page("hostile", region=HOSTILE)
    alert["annotations"] |= {"description": HOSTILE, "impact": HOSTILE, "summary": f"hostile/ {HOSTILE}"}
    alert["annotations"]["runbook_url"] = "javascript:alert(1)"
    readers.alertmanager.post([alert])
    mail = wait_for(lambda: [m for m in readers.mail.mails if "hostile/" in str(m.message["Subject"])], what="mail")[0]
    seen = read(mail)
    assert HOSTILE in seen.words
    assert not seen.tags & {"script", "img"}
    assert not any("javascript" in link for link in seen.links.values())
    (slack,) = wait_for(lambda: readers.told("/slack", "hostile/"), what="Slack's message")[0]["attachments"]
    ours = re.sub(r"<https?://[^<>|\s]+\|(Incident|Dashboard|Logs|Silence)>", "", slack["text"])
    assert "<" not in slack["title"] + ours + slack["fallback"]
    assert HOSTILE in html.unescape(slack["text"])


def test_an_alert_without_service_is_silenced_by_what_its_group_has_in_common(readers: Readers) -> None:
    """`service=""` would silence every such alert there is."""
    labels = {"alertname": "Alone", "severity": "warning", "disk": 'sd"a + b'}
    readers.alertmanager.post([firing(labels, {"summary": "alone/availability"})])
    mail = readers.first_mail("alone")
    wanted = '{alertname="Alone", disk="sd\\"a + b", severity="warning"}'
    assert mail.message["Subject"] == "[TICKET] alone/availability"
    assert unquote(read(mail).links["Silence this for a while"]).endswith(f"filter={wanted}")
    (silence,) = re.findall(r"Silence: (.*)", mail.text)
    assert unquote(silence).endswith(f"filter={wanted}")


def test_the_end_is_told_and_asks_for_no_silence(readers: Readers) -> None:
    """Green, with the time of the end."""
    alert = page("ended")
    readers.alertmanager.post([alert])
    readers.first_mail("ended")
    readers.alertmanager.post([resolved(alert)])
    wait_for(lambda: len(readers.mails("ended")) == 2, what="the end")
    seen = read(readers.mails("ended")[1])
    text = "\n".join(seen.words)
    assert "RESOLVED · ended/availability" in text
    assert re.search(r"since \d\d:\d\d:\d\d UTC, .*; until \d\d:\d\d:\d\d UTC", text)
    assert "Silence this for a while" not in seen.links
    (slack,) = wait_for(lambda: readers.told("/slack", "ended/")[1:], what="Slack's end")[0]["attachments"]
    assert (slack["color"], slack["title"]) == ("good", "[RESOLVED] ended/availability")
