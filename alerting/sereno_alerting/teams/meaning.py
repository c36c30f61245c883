"""What a team file means, and the mistakes that its grammar can't see."""

from collections.abc import Iterator
from posixpath import join

from sereno_slo.diagnostics import Diagnostic, Severity
from sereno_slo.model import SloReference
from sereno_slo.parse.yaml_tree import Path, YamlTree

from sereno_alerting.teams.grammar import (
    HeartbeatDocument,
    HoursDocument,
    PageDocument,
    SmtpDocument,
    TeamDocument,
    TeamsDocument,
    TicketDocument,
    WaysDocument,
    WebhookDocument,
)
from sereno_alerting.teams.model import (
    Also,
    Email,
    Hours,
    Page,
    PagerDuty,
    Slack,
    Smtp,
    Team,
    Teams,
    Telegram,
    Ticket,
    Waiting,
    Way,
    Webhook,
)

_WAYS = ("pagerduty", "email", "slack", "telegram", "webhook")
_WITH_FILES = "0.26"
"""The first Alertmanager that reads a webhook's address and Telegram's token from files."""


def mistakes(document: TeamsDocument, tree: YamlTree) -> Iterator[Diagnostic]:
    """All of them, in no order."""
    for path, team in _teams(document):
        if path == ("default",):
            for kind in ("page", "ticket"):
                if getattr(team, kind) is None:
                    message = f"default has no {kind}: alerts of unknown owners would reach nobody"
                    yield Diagnostic("ALR003", tree.span(path), message, f"write {kind}: {{email: sre@example.org}}")
        elif path[-1] == "default":
            message = "default is who is told where no team is"
            yield Diagnostic(
                "ALR008", tree.key_span(path), message, "write it beside teams, or give the team another name"
            )
        for inner, ways in _ways_of(path, team):
            yield from _about_ways(inner, ways, document, tree)
        if team.ticket is not None and team.ticket.hours is not None:
            yield from _about_hours((*path, "ticket"), team.ticket, team.ticket.hours, tree)
    yield from _about_heartbeat(document, tree)


def _teams(document: TeamsDocument) -> Iterator[tuple[Path, TeamDocument]]:
    yield ("default",), document.default
    yield from ((("teams", name), team) for name, team in document.teams.items())


def _ways_of(path: Path, team: TeamDocument) -> Iterator[tuple[Path, WaysDocument]]:
    if team.page is not None:
        yield (*path, "page"), team.page
        if team.page.also is not None:
            yield (*path, "page", "also"), team.page.also
    if team.ticket is not None:
        yield (*path, "ticket"), team.ticket


def _about_ways(path: Path, ways: WaysDocument, document: TeamsDocument, tree: YamlTree) -> Iterator[Diagnostic]:
    if all(getattr(ways, way) is None for way in _WAYS):
        message = f"{_named(path)} has no way on which somebody is told"
        yield Diagnostic("ALR004", tree.span(path), message, f"write one of {', '.join(_WAYS)}")
    if ways.email is not None and document.smtp is None:
        message = "e-mail needs a server that sends it"
        yield Diagnostic("ALR005", tree.key_span((*path, "email")), message, "write smtp: {smarthost: …, from: …}")
    if ways.telegram is not None and document.alertmanager < _WITH_FILES:
        message = f"Alertmanager {document.alertmanager} reads Telegram's token from no file"
        yield _too_old((*path, "telegram"), message, tree)
    if ways.webhook is not None:
        yield from _about_webhook((*path, "webhook"), ways.webhook, document, tree)


def _about_webhook(
    path: Path, webhook: WebhookDocument | HeartbeatDocument, document: TeamsDocument, tree: YamlTree
) -> Iterator[Diagnostic]:
    if (webhook.url is None) == (webhook.url_file is None):
        message = f"{path[-1]} has {'no address' if webhook.url is None else 'two addresses'}"
        yield Diagnostic("ALR004", tree.span(path), message, "write either url or url_file")
    if webhook.url_file is not None and document.alertmanager < _WITH_FILES:
        message = f"Alertmanager {document.alertmanager} reads a webhook's address from no file"
        yield _too_old((*path, "url_file"), message, tree)


def _too_old(path: Path, message: str, tree: YamlTree) -> Diagnostic:
    cure = f'write alertmanager: "{_WITH_FILES}" if yours is that new, or choose another way'
    return Diagnostic("ALR006", tree.key_span(path), message, cure)


def _about_hours(path: Path, ticket: TicketDocument, hours: HoursDocument, tree: YamlTree) -> Iterator[Diagnostic]:
    if hours.start >= hours.end:
        message = f"hours from {hours.start} to {hours.end} don't lie within one day"
        place = tree.span((*path, "hours", "from"))
        yield Diagnostic("ALR007", place, message, "write an end after the beginning, 24:00 at most")
    if ticket.pagerduty is not None:
        message = "PagerDuty isn't told of a ticket that ends outside these hours, and keeps it open"
        cure = "leave hours to PagerDuty (its service has support hours), or choose another way"
        yield Diagnostic("ALR011", tree.key_span((*path, "pagerduty")), message, cure, Severity.WARNING)


def _about_heartbeat(document: TeamsDocument, tree: YamlTree) -> Iterator[Diagnostic]:
    if document.heartbeat is None:
        message = "there is no heartbeat: if Prometheus or Alertmanager stop, nobody is told"
        cure = "write heartbeat: {url: …} of a service that pages when the Watchdog stays away"
        yield Diagnostic("ALR009", tree.span(()), message, cure, Severity.WARNING)
    else:
        yield from _about_webhook(("heartbeat",), document.heartbeat, document, tree)


def _named(path: Path) -> str:
    return ".".join(map(str, path))


def teams_of(document: TeamsDocument, tree: YamlTree, source: str) -> Teams:
    """The meaning of a document without mistakes; `source` is how headers name the file."""
    folder = document.secrets
    page, ticket = document.default.page, document.default.ticket
    if page is None or ticket is None:
        raise ValueError("a team file without a default page or ticket is a mistake that was told before")
    return Teams(
        page=_page(page, folder),
        ticket=_ticket(ticket, folder),
        teams=tuple(
            Team(
                name,
                _page(team.page, folder) if team.page else None,
                _ticket(team.ticket, folder) if team.ticket else None,
            )
            for name, team in document.teams.items()
        ),
        smtp=_smtp(document.smtp, folder) if document.smtp else None,
        heartbeat=_webhook(document.heartbeat, folder) if document.heartbeat else None,
        incidents=document.incidents,
        source=source,
        waiting=tuple(
            Waiting(SloReference.parse(slo), wait, tree.key_span(("wait_for_cause", slo)))
            for slo, wait in document.wait_for_cause.items()
        ),
    )


def _smtp(smtp: SmtpDocument, folder: str) -> Smtp:
    password_file = join(folder, smtp.password_file) if smtp.password_file else None
    return Smtp(smtp.smarthost, smtp.sender, smtp.username, password_file, smtp.require_tls)


def _page(page: PageDocument, folder: str) -> Page:
    also = page.also
    return Page(_ways(page, folder), Also(_ways(also, folder), also.after) if also else None)


def _ticket(ticket: TicketDocument, folder: str) -> Ticket:
    hours = ticket.hours
    return Ticket(
        _ways(ticket, folder), Hours(tuple(hours.days), hours.start, hours.end, hours.timezone) if hours else None
    )


def _ways(ways: WaysDocument, folder: str) -> tuple[Way, ...]:
    found: list[Way] = []
    if ways.pagerduty is not None:
        found.append(PagerDuty(join(folder, ways.pagerduty.key_file)))
    if ways.email is not None:
        found.append(Email(tuple(ways.email)))
    if ways.slack is not None:
        found.append(Slack(join(folder, ways.slack.url_file), ways.slack.channel))
    if ways.telegram is not None:
        found.append(Telegram(join(folder, ways.telegram.token_file), ways.telegram.chat))
    if ways.webhook is not None:
        found.append(_webhook(ways.webhook, folder))
    return tuple(found)


def _webhook(webhook: WebhookDocument | HeartbeatDocument, folder: str) -> Webhook:
    return Webhook(
        webhook.url,
        join(folder, webhook.url_file) if webhook.url_file else None,
        join(folder, webhook.token_file) if webhook.token_file else None,
    )
