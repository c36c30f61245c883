"""Receivers: every way on which somebody is told, and the incident record beside it."""

from collections.abc import Iterator
from typing import Any, assert_never

from sereno_alerting.teams.model import Email, PagerDuty, Slack, Team, Teams, Telegram, Way, Webhook

Receiver = dict[str, Any]

NOWHERE = "nowhere"
HEARTBEAT = "heartbeat"
DEFAULT = "default"

_SUBJECT = '{{ template "sereno.subject" . }}'
_TEXT = '{{ template "sereno.text" . }}'
_LINK = '{{ template "sereno.client_url" . }}'
_HTML = '{{ template "sereno.html" . }}'
_DETAILS = {
    "users": "{{ .CommonAnnotations.impact }}",
    "owner": "{{ .CommonLabels.owner }}",
    "incident": "{{ (index .Alerts 0).Annotations.incident_url }}",
    "text": _TEXT,
}
"""What PagerDuty shows below a page, by its name; what an alert doesn't have is empty there."""

_LINKS = (
    {"href": "{{ or (index .Alerts 0).Annotations.runbook_url .ExternalURL }}", "text": "Runbook"},
    {"href": '{{ template "sereno.silence_url" . }}', "text": "Silence"},
)
"""PagerDuty's links: only those that no alert is without, since an event with an empty link may be refused."""


def page(team: str) -> str:
    """The receiver of a team's pages."""
    return f"{team}-page"


def also(team: str) -> str:
    """The receiver of who is told of a team's pages besides."""
    return f"{team}-page-also"


def ticket(team: str) -> str:
    """The receiver of a team's tickets."""
    return f"{team}-ticket"


def record(team: str) -> str:
    """The receiver that records a team's tickets, where people are told of them in business hours only."""
    return f"{team}-ticket-record"


def receivers(teams: Teams) -> list[Receiver]:
    """All of them, those of no team first."""
    default = Team(DEFAULT, teams.page, teams.ticket)
    return [
        {"name": NOWHERE},
        *_heartbeat(teams),
        *(receiver for team in (default, *teams.teams) for receiver in _of_team(team, teams.incidents)),
    ]


def _heartbeat(teams: Teams) -> Iterator[Receiver]:
    if teams.heartbeat is not None:
        outside = _webhook(teams.heartbeat, send_resolved=False)
        yield {"name": HEARTBEAT, "webhook_configs": [outside, {"url": teams.incidents, "send_resolved": False}]}


def _of_team(team: Team, incidents: str) -> Iterator[Receiver]:
    recorded = {"url": incidents, "send_resolved": True}
    if team.page is not None:
        yield _receiver(page(team.name), team.page.ways, recorded)
        if team.page.also is not None:
            yield _receiver(also(team.name), team.page.also.ways)
    if team.ticket is not None and team.ticket.hours is None:
        yield _receiver(ticket(team.name), team.ticket.ways, recorded)
    elif team.ticket is not None:
        yield {"name": record(team.name), "webhook_configs": [recorded]}
        yield _receiver(ticket(team.name), team.ticket.ways)


def _receiver(name: str, ways: tuple[Way, ...], *webhooks: dict[str, Any]) -> Receiver:
    found: Receiver = {"name": name}
    for way in ways:
        key, config = _config(way)
        found.setdefault(key, []).append(config)
    if webhooks:
        found.setdefault("webhook_configs", []).extend(webhooks)
    return found


def _config(way: Way) -> tuple[str, dict[str, Any]]:
    """Alertmanager's key for this kind of way, and the way."""
    match way:
        case PagerDuty(key_file=key_file):
            return "pagerduty_configs", {
                "routing_key_file": key_file,
                "severity": "critical",
                "description": _SUBJECT,
                "client": "Sereno",
                "client_url": _LINK,
                "details": dict(_DETAILS),
                "links": [dict(link) for link in _LINKS],
            }
        case Email(addresses=addresses):
            return "email_configs", {
                "to": ", ".join(addresses),
                "send_resolved": True,
                "headers": {"Subject": _SUBJECT},
                "text": _TEXT,
                "html": _HTML,
            }
        case Slack(url_file=url_file, channel=channel):
            return "slack_configs", {
                "api_url_file": url_file,
                **({"channel": channel} if channel else {}),
                "send_resolved": True,
                "title": '{{ template "sereno.slack.title" . }}',
                "title_link": _LINK,
                "fallback": '{{ template "sereno.slack.title" . }}',
                "text": '{{ template "sereno.slack.text" . }}',
                "color": '{{ template "sereno.slack.color" . }}',
            }
        case Telegram(token_file=token_file, chat=chat):
            # No parse mode: label values with markup stay what they are.
            return "telegram_configs", {
                "bot_token_file": token_file,
                "chat_id": chat,
                "send_resolved": True,
                "parse_mode": "",
                "message": '{{ template "sereno.short" . }}',
            }
        case Webhook():
            return "webhook_configs", _webhook(way, send_resolved=True)
        case _:
            assert_never(way)


def _webhook(webhook: Webhook, *, send_resolved: bool) -> dict[str, Any]:
    config: dict[str, Any] = {"url_file": webhook.url_file} if webhook.url_file else {"url": webhook.url}
    config["send_resolved"] = send_resolved
    if webhook.token_file:
        config["http_config"] = {"authorization": {"credentials_file": webhook.token_file}}
    return config
