"""What really arrives: the production configuration in a real Alertmanager, with only the far ends replaced."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from sereno_slo.alertmanager_file import merged, rules_in
from sereno_slo.model import Dependency, OtherAlert, SloReference, Standing
from sereno_slo.promql import Matcher, MatchOp
from sereno_slo.render.inhibit_rules import render_inhibit_rules
from support.alertmanager import RunningAlertmanager, firing, resolved, running_alertmanager
from support.http_sink import Delivery, HttpSink, http_sink
from support.smtp_sink import Mail, SmtpSink, smtp_sink
from support.waiting import wait_for

FOLDER = Path(__file__).resolve().parents[2] / "alerting/alertmanager"

# All tests share one Alertmanager, each with a service of its own: groups and inhibition never reach across services.
pytestmark = pytest.mark.xdist_group("alertmanager-delivery")

INCIDENTS_PATH = "/api/v1/alertmanager"
ANNOTATIONS = {
    "impact": "Customers can't pay",
    "description": "2.3% of the 30d budget went in 1h; 61% is left.",
    "runbook_url": "https://example.org/runbooks/SLOErrorBudgetBurn.md",
    "dashboard_url": "https://grafana.example.org/d/transactions",
    "logs_url": "https://logs.example.org/?q=transactions",
}

# A shop stands on its stock, and that on a database, as mail does; quiet-shop on quiet-database.
DEPENDENCIES = tuple(
    Dependency(SloReference(service, "availability"), SloReference(on, "availability"))
    for service, on in (
        ("shop", "stock"),
        ("stock", "database"),
        ("mail", "database"),
        ("quiet-shop", "quiet-database"),
        ("hushed-shop", "hushed-database"),
    )
)

STANDINGS = (
    Standing(
        SloReference("standing", "availability"),
        OtherAlert("PostgreSQLDown", (Matcher("system", MatchOp.EQUAL, "standing"),)),
    ),
)


@dataclass(frozen=True)
class Stage:
    """The running Alertmanager and the far ends of its receivers."""

    alertmanager: RunningAlertmanager
    web: HttpSink
    mail: SmtpSink

    def webhooks(self, service: str) -> list[Delivery]:
        """What Sereno's incidents were told about this service."""
        return [d for d in self.web.to(INCIDENTS_PATH) if d.body["groupLabels"].get("service") == service]

    def events(self, service: str) -> list[Delivery]:
        """What PagerDuty was told about this service."""
        return [d for d in self.web.to("/v2/enqueue") if service in d.body["payload"]["summary"]]

    def mails(self, service: str) -> list[Mail]:
        """The mails whose subject names this service."""
        return [mail for mail in self.mail.mails if service in mail.message["Subject"]]

    def state(self, labels: Mapping[str, str]) -> str:
        """`active`, `suppressed` or `unprocessed`, as Alertmanager's API tells it."""
        return next(str(a["status"]["state"]) for a in self.alertmanager.alerts() if a["labels"] == labels)


def shortened(route: dict[str, Any]) -> dict[str, Any]:
    """The same tree with waits that a test can sit out; tickets still wait longer than pages."""
    waits = {"group_wait": "1s", "group_interval": "1s"} if "group_wait" in route else {}
    if route["receiver"].endswith("-page"):
        waits = {"group_wait": "0s"}
    return {**route, **waits, "routes": [shortened(child) for child in route.get("routes", [])]}


def with_far_ends(config: dict[str, Any], web: HttpSink, mail: SmtpSink, secrets: Path) -> dict[str, Any]:
    """The production configuration with sinks in place of the outside world, and `secrets` in place of /etc."""
    config["route"] = shortened(config["route"])
    config["templates"] = [str(FOLDER / pattern) for pattern in config["templates"]]
    config["global"] |= {
        "smtp_smarthost": mail.address,
        "smtp_require_tls": False,
        "smtp_auth_password_file": _moved(config["global"]["smtp_auth_password_file"], secrets),
        "pagerduty_url": f"{web.url}/v2/enqueue",
    }
    for receiver in config["receivers"]:
        for pagerduty in receiver.get("pagerduty_configs", []):
            pagerduty["routing_key_file"] = _moved(pagerduty["routing_key_file"], secrets)
        for webhook in receiver.get("webhook_configs", []):
            webhook["url"] = web.url + urlsplit(webhook["url"]).path
            if authorization := webhook.get("http_config", {}).get("authorization"):
                authorization["credentials_file"] = _moved(authorization["credentials_file"], secrets)
    return config


def _moved(path: str, secrets: Path) -> str:
    assert Path(path).parent == Path("/etc/alertmanager/secrets")
    return str(secrets / Path(path).name)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One Alertmanager for the module: it starts with the example secrets, which must suffice by name."""
    folder = tmp_path_factory.mktemp("alertmanager")
    for example in (FOLDER / "secrets").glob("*.example"):
        (folder / example.stem).write_text(example.read_text())
    with http_sink() as web, smtp_sink() as mail:
        rules = rules_in(render_inhibit_rules(DEPENDENCIES, STANDINGS).content)
        production = yaml.safe_load(merged((FOLDER / "alertmanager.yml").read_text(), rules))
        config = folder / "alertmanager.yml"
        config.write_text(yaml.safe_dump(with_far_ends(production, web, mail, folder)))
        with running_alertmanager(config, folder / "data") as alertmanager:
            yield Stage(alertmanager, web, mail)


def annotated(labels: dict[str, str]) -> dict[str, Any]:
    """A firing alert with annotations as the compiler writes them."""
    summary = f"Customers can't pay: {labels['service']}/{labels['slo']} burns its error budget (fast, 1h)"
    return firing(labels, {"summary": summary, **ANNOTATIONS})


def burn(service: str, severity: str, **more: str) -> dict[str, str]:
    """The labels of a burn alert as the compiler writes them."""
    labels = {"alertname": "SLOErrorBudgetBurn", "service": service, "slo": "availability", "owner": "payments"}
    return {**labels, "severity": severity, "burn": "fast", "long_window": "1h", **more}


def test_page_arrives_once_and_no_ticket(stage: Stage) -> None:
    """Page and ticket of one SLO together: one page at PagerDuty, mail and webhook; the ticket is inhibited."""
    page, ticket = burn("one-page", "critical"), burn("one-page", "warning", burn="slow", long_window="3d")
    stage.alertmanager.post([annotated(page), annotated(ticket)])
    wait_for(lambda: stage.webhooks("one-page"), what="the page's webhook")
    wait_for(lambda: stage.events("one-page"), what="PagerDuty's event")
    wait_for(lambda: stage.mails("one-page"), what="the page's mail")
    assert stage.state(ticket) == "suppressed"
    assert stage.state(page) == "active"

    # A ticket that was posted later has come all the way: the first one's wait is over, too.
    stage.alertmanager.post([annotated(burn("one-page-later", "warning"))])
    wait_for(lambda: stage.webhooks("one-page-later"), what="the later ticket's webhook")
    assert [d.body["receiver"] for d in stage.webhooks("one-page")] == ["payments-page"]
    assert [d.body["commonLabels"]["severity"] for d in stage.webhooks("one-page")] == ["critical"]
    assert [m.recipients for m in stage.mails("one-page/")] == [("payments-oncall@example.org",)]
    assert len(stage.events("one-page/")) == 1


def test_page_of_another_slo_leaves_the_ticket_alone(stage: Stage) -> None:
    """Inhibition stays inside one SLO: another SLO's ticket of the same service is sent."""
    page, ticket = burn("two-slos", "critical"), burn("two-slos", "warning", slo="latency")
    stage.alertmanager.post([annotated(page), annotated(ticket)])
    wait_for(lambda: len(stage.webhooks("two-slos")) == 2, what="page and ticket")
    assert {d.body["receiver"] for d in stage.webhooks("two-slos")} == {"payments-page", "payments-ticket"}
    assert stage.state(ticket) == "active"


def test_page_without_slo_silences_no_ticket(stage: Stage) -> None:
    """Alerts that both lack `slo` aren't "equal": a machine's page leaves a machine's ticket alone."""
    page = {"alertname": "TargetDown", "severity": "critical", "service": "no-slo"}
    ticket = {"alertname": "DiskFilling", "severity": "warning", "service": "no-slo"}
    stage.alertmanager.post([firing(page), firing(ticket)])
    wait_for(lambda: len(stage.webhooks("no-slo")) == 2, what="page and ticket")
    assert stage.state(ticket) == "active"


def test_shadow_page_silences_no_ticket(stage: Stage) -> None:
    """A shadow alert is sent nowhere and inhibits nothing."""
    shadow, ticket = burn("shadowed", "critical", shadow="true"), burn("shadowed", "warning")
    stage.alertmanager.post([annotated(shadow), annotated(ticket)])
    wait_for(lambda: stage.webhooks("shadowed"), what="the ticket")
    assert [d.body["receiver"] for d in stage.webhooks("shadowed")] == ["payments-ticket"]
    assert stage.events("shadowed") == []


def test_one_broken_database_pages_once(stage: Stage) -> None:
    """Whatever stands on it, directly or not, is inhibited; what it doesn't cause is told, and so is the rest later."""
    page = annotated(burn("database", "critical"))
    suffering = [
        burn("shop", "critical"),
        burn("shop", "warning", burn="slow", long_window="3d"),
        {**burn("shop", "critical"), "alertname": "SLOTrafficDrop"},
        burn("stock", "critical", grouped_by="region", region="eu"),
    ]
    untouched = [
        {**burn("shop", "critical", slo="orders"), "alertname": "SLONoData"},
        {**burn("mail", "warning"), "alertname": "SLOBudgetExhausted"},
        burn("shop", "critical", slo="latency"),
        burn("database", "critical", burn="outage", long_window="2m"),
        {"alertname": "Watchdog", "severity": "none"},
    ]
    stage.alertmanager.post([page])
    wait_for(lambda: stage.webhooks("database"), what="the database's page")
    stage.alertmanager.post([page, *map(firing, (*suffering, *untouched))])
    wait_for(lambda: stage.webhooks("shop"), what="what the database doesn't cause")
    assert [stage.state(labels) for labels in suffering] == ["suppressed"] * 4
    assert [stage.state(labels) for labels in untouched] == ["active"] * 5
    told = [alert["labels"] for d in stage.webhooks("shop") for alert in d.body["alerts"]]
    assert all(labels in untouched for labels in told)

    # The database is mended and the shop still burns: now it is told.
    stage.alertmanager.post([resolved(page), resolved(firing(untouched[3]))])
    wait_for(
        lambda: [a for d in stage.webhooks("shop") for a in d.body["alerts"] if a["labels"] == suffering[0]],
        what="the shop's page",
    )


def test_an_outage_is_one_page(stage: Stage) -> None:
    """What fires while it lasts is no second message; where the outage ends first, the rest is told as its update."""
    outage = annotated(burn("outage", "critical", burn="outage", long_window="2m"))
    further = [
        burn("outage", "critical"),
        burn("outage", "critical", burn="slow", long_window="6h"),
        {**burn("outage", "critical"), "alertname": "SLONoData"},
    ]
    untouched = burn("outage", "critical", grouped_by="route", route="/pay", slo="latency")
    other = [annotated(burn("no-outage", "critical")), annotated(burn("no-outage", "critical", burn="slow"))]
    stage.alertmanager.post([outage, other[0]])
    wait_for(lambda: stage.events("outage/") and stage.events("no-outage/"), what="the first pages")
    stage.alertmanager.post([*map(annotated, further), annotated(untouched), other[1]])
    wait_for(lambda: len(stage.webhooks("no-outage")) == 2, what="an update where there is no outage")
    assert [stage.state(labels) for labels in further] == ["suppressed"] * 3
    assert stage.state(untouched) == "active"
    told = [d for d in stage.webhooks("outage") if d.body["groupLabels"]["slo"] == "availability"]
    assert [len(d.body["alerts"]) for d in told] == [1]

    stage.alertmanager.post([resolved(outage)])
    update = wait_for(lambda: stage.webhooks("outage")[2:], what="the update")[0].body
    assert {(a["labels"]["burn"], a["status"]) for a in update["alerts"]} >= {
        ("outage", "resolved"),
        ("fast", "firing"),
    }
    assert update["status"] == "firing"


def test_a_page_about_one_group_leaves_the_whole_alone(stage: Stage) -> None:
    """One route's outage is no outage of the SLO, and explains no missing targets."""
    group = burn("one-group", "critical", burn="outage", grouped_by="route", route="/pay")
    of_latency = {**group, "slo": "latency"}
    whole = [burn("one-group", "critical"), {**burn("one-group", "critical", slo="latency"), "alertname": "SLONoData"}]
    stage.alertmanager.post([annotated(group), annotated(of_latency)])
    wait_for(lambda: len(stage.webhooks("one-group")) == 2, what="the groups' pages")
    stage.alertmanager.post([*map(annotated, whole)])
    wait_for(lambda: len(stage.webhooks("one-group")) == 4, what="the pages of the whole")
    assert [stage.state(labels) for labels in whole] == ["active"] * 2


def test_the_cause_below_pages_only_where_nobody_is_up(stage: Stage) -> None:
    """While the SLO pages, its server's page isn't sent, another one's is; when the SLO is well, it is told."""
    page = annotated(burn("standing", "critical"))
    server = {"alertname": "PostgreSQLDown", "severity": "critical", "service": "standing-server", "system": "standing"}
    another = {**server, "system": "another", "service": "another-server"}
    stage.alertmanager.post([page])
    wait_for(lambda: stage.events("standing/"), what="the SLO's page")
    stage.alertmanager.post([firing(server), firing(another)])
    wait_for(lambda: stage.webhooks("another-server"), what="another server's page")
    assert (stage.state(server), stage.state(another)) == ("suppressed", "active")
    assert stage.webhooks("standing-server") == []
    stage.alertmanager.post([resolved(page)])
    wait_for(lambda: stage.webhooks("standing-server"), what="the server's page")


def test_a_silenced_page_still_inhibits(stage: Stage) -> None:
    """What docs/alertmanager.md warns of: whoever silences a cause silences what it does to others."""
    page, dependant = burn("hushed-database", "critical"), burn("hushed-shop", "critical")
    begin, end = (datetime.now(UTC) + timedelta(hours=hours) for hours in (0, 1))
    matcher = {"name": "service", "value": "hushed-database", "isRegex": False, "isEqual": True}
    silence = {"matchers": [matcher], "startsAt": begin.isoformat(), "endsAt": end.isoformat()}
    url = f"{stage.alertmanager.url}/api/v2/silences"
    httpx.post(url, json=silence | {"createdBy": "test", "comment": "test"}, timeout=10).raise_for_status()
    stage.alertmanager.post([annotated(page), annotated(dependant)])
    wait_for(lambda: stage.state(dependant) == "suppressed", what="the inhibition")
    assert stage.webhooks("hushed-database") == []


@pytest.mark.parametrize("unheard", ["a ticket", "a group", "a shadow"])
def test_what_does_not_explain_others_silences_nobody(unheard: str, stage: Stage) -> None:
    """A ticket of the database, a page about one of its groups, a shadow page: its dependants page."""
    labels = {
        "a ticket": burn("quiet-database", "warning", n="1"),
        "a group": burn("quiet-database", "critical", grouped_by="table", table="orders"),
        "a shadow": burn("quiet-database", "critical", shadow="true"),
    }[unheard]
    dependant = burn("quiet-shop", "critical", run=unheard)
    stage.alertmanager.post([firing(labels), firing(dependant)])
    wait_for(lambda: stage.state(dependant) == "active", what="the dependant's page")
    stage.alertmanager.post([resolved(firing(labels)), resolved(firing(dependant))])


def test_messages_say_what_matters(stage: Stage) -> None:
    """Mail and PagerDuty carry impact, burn, budget and links, and nothing that failed to render."""
    stage.alertmanager.post([annotated(burn("messages", "critical"))])
    mail = wait_for(lambda: stage.mails("messages"), what="the mail")[0]
    event = wait_for(lambda: stage.events("messages"), what="PagerDuty's event")[0].body
    subject = "[PAGE] Customers can't pay: messages/availability burns its error budget (fast, 1h)"
    assert mail.message["Subject"] == subject
    assert event["payload"]["summary"] == subject
    for text in (mail.text, event["payload"]["custom_details"]["text"]):
        assert "Users: Customers can't pay\n2.3% of the 30d budget went in 1h; 61% is left.\n" in text
        assert "Burn: fast, measured over 1h\nOwner: payments\nSince: 2" in text
        for link in ("runbook_url", "dashboard_url", "logs_url"):
            assert f": {ANNOTATIONS[link]}\n" in text
        assert "no value" not in text
    assert event["client_url"] == ANNOTATIONS["dashboard_url"]
    assert mail.message.get_body(("html",)) is not None


def test_bare_alert_still_makes_a_message(stage: Stage) -> None:
    """An alert without one annotation is told by its name, without empty lines for what it lacks."""
    stage.alertmanager.post([firing({"alertname": "Bare", "severity": "warning", "service": "bare"})])
    mail = wait_for(lambda: stage.mails("bare"), what="the mail")[0]
    assert mail.message["Subject"] == "[TICKET] bare: Bare"
    assert mail.text.startswith("bare: Bare\nSince: ")
    assert "Users" not in mail.text
    assert "no value" not in mail.text
    assert mail.recipients == ("sre@example.org",)


def test_resolution_is_told(stage: Stage) -> None:
    """When the alert ends, PagerDuty closes its incident, and mail and webhook say so."""
    alert = annotated(burn("mended", "critical"))
    stage.alertmanager.post([alert])
    wait_for(lambda: stage.events("mended"), what="the page")
    stage.alertmanager.post([resolved(alert)])
    wait_for(lambda: len(stage.events("mended")) == 2, what="PagerDuty's resolution")
    opened, closed = (event.body for event in stage.events("mended"))
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"]
    wait_for(lambda: len(stage.webhooks("mended")) == 2, what="the webhook's resolution")
    assert [d.body["status"] for d in stage.webhooks("mended")] == ["firing", "resolved"]
    wait_for(lambda: len(stage.mails("mended")) == 2, what="the mail's resolution")
    assert stage.mails("mended")[1].message["Subject"].startswith("[RESOLVED] Customers can't pay: mended/")
    assert "\nUntil: 2" in stage.mails("mended")[1].text


def test_secrets_come_from_files(stage: Stage) -> None:
    """Mail password, each owner's PagerDuty key and the heartbeat's token are the files' contents."""
    stage.alertmanager.post(
        [firing(burn("secrets", "critical")), firing({"alertname": "Watchdog", "severity": "none"})]
    )
    mail = wait_for(lambda: stage.mails("secrets"), what="the mail")[0]
    assert (mail.username, mail.password) == ("sereno@example.org", _example("smtp_password"))
    event = wait_for(lambda: stage.events("secrets"), what="PagerDuty's event")[0]
    assert event.body["routing_key"] == _example("pagerduty_payments")
    beat = wait_for(lambda: stage.web.to("/sereno"), what="the heartbeat")[0]
    assert beat.headers["authorization"] == f"Bearer {_example('heartbeat_token')}"
    assert beat.body["commonLabels"]["alertname"] == "Watchdog"


def _example(name: str) -> str:
    return (FOLDER / f"secrets/{name}.example").read_text().strip()
