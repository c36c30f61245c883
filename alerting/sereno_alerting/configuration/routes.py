"""Routes: severity decides whether somebody is told, the owner who. docs/alertmanager.md gives the reasons."""

from collections.abc import Iterator
from typing import Any

from sereno_alerting.configuration import receivers
from sereno_alerting.configuration.comments import COMMENT
from sereno_alerting.teams.model import Hours, Page, Team, Teams, Ticket

Route = dict[str, Any]

_AGAIN = "30m"
"""After so long a page is told again (PagerDuty rings once all the same). What ended while it was inhibited is for
Alertmanager still told: if it begins anew, it is only heard of again after this time."""


def root_route(teams: Teams, owner_label: str) -> Route:
    """The tree. Who matches nothing is looked at, not told."""
    heartbeat = receivers.HEARTBEAT if teams.heartbeat is not None else receivers.NOWHERE
    return {
        "receiver": receivers.NOWHERE,
        "group_by": ["service", "slo"],
        "group_wait": "10s",
        "group_interval": "1m",
        "repeat_interval": "4h",
        "routes": [
            {
                COMMENT: "Always firing. An outside service that misses it for 15 minutes tells somebody.",
                "receiver": heartbeat,
                "matchers": ['alertname="Watchdog"'],
                "group_wait": "0s",
                "group_interval": "1m",
                "repeat_interval": "5m",
            },
            {
                COMMENT: "New rules run in the shadow first: they are recorded by Prometheus and disturb nobody.",
                "receiver": receivers.NOWHERE,
                "matchers": ['shadow=~"critical|warning|true"'],
            },
            *_patient(teams, owner_label),
            {
                COMMENT: "Not about an SLO: each thing that is broken is a page of its own.",
                "receiver": receivers.page(receivers.DEFAULT),
                "matchers": ['severity="critical"', 'slo=""'],
                "group_by": ["alertname", "service", "system", "instance"],
                "repeat_interval": _AGAIN,
                "routes": _pages(teams, owner_label),
            },
            {
                COMMENT: "Wakes somebody up. An owner that nobody wrote down must still reach a person.",
                "receiver": receivers.page(receivers.DEFAULT),
                "matchers": ['severity="critical"'],
                "repeat_interval": _AGAIN,
                "routes": _pages(teams, owner_label),
            },
            {
                COMMENT: "Is for office hours. Five minutes of patience: a page that follows takes the ticket's place.",
                "receiver": receivers.ticket(receivers.DEFAULT),
                "matchers": ['severity="warning"'],
                "group_wait": "5m",
                "group_interval": "15m",
                "repeat_interval": "24h",
                "routes": _tickets(teams, owner_label),
            },
        ],
    }


def time_intervals(teams: Teams) -> list[dict[str, Any]]:
    """The business hours of those that have some."""
    named = ((receivers.DEFAULT, teams.ticket), *((team.name, team.ticket) for team in teams.teams))
    return [_interval(name, ticket.hours) for name, ticket in named if ticket is not None and ticket.hours is not None]


def _hours(team: str) -> str:
    return f"{team}-hours"


def _interval(team: str, hours: Hours) -> dict[str, Any]:
    time = {
        "weekdays": list(hours.days),
        "times": [{"start_time": hours.start, "end_time": hours.end}],
        "location": hours.timezone,
    }
    return {"name": _hours(team), "time_intervals": [time]}


def _pages(teams: Teams, owner_label: str) -> list[Route]:
    routes = [
        route for team in teams.teams if team.page for route in _page(team.name, team.page, _owner(team, owner_label))
    ]
    # The parent tells the default's first way; whoever is told besides needs routes of its own, behind all owners.
    return [*routes, *(_page(receivers.DEFAULT, teams.page, {}) if teams.page.also else ())]


def _patient(teams: Teams, owner_label: str) -> Iterator[Route]:
    """The same pages, of SLOs that wait for what they depend on: whoever fires first is told."""
    for waiting in teams.waiting:
        yield {
            COMMENT: "Waits: what this SLO depends on may page within that time, and then this is no news.",
            "receiver": receivers.page(receivers.DEFAULT),
            "matchers": ['severity="critical"', f'service="{waiting.slo.service}"', f'slo="{waiting.slo.slo}"'],
            "group_wait": waiting.wait,
            "repeat_interval": _AGAIN,
            "routes": _pages(teams, owner_label),
        }


def _page(team: str, page: Page, owner: Route) -> Iterator[Route]:
    if page.also is not None:
        wait = {"group_wait": page.also.after} if page.also.after else {}
        yield {"receiver": receivers.also(team), **owner, **wait, "continue": True}
    yield {"receiver": receivers.page(team), **owner}


def _tickets(teams: Teams, owner_label: str) -> list[Route]:
    routes = [
        route
        for team in teams.teams
        if team.ticket
        for route in _ticket(team.name, team.ticket, _owner(team, owner_label))
    ]
    return [*routes, *(_ticket(receivers.DEFAULT, teams.ticket, {}) if teams.ticket.hours else ())]


def _ticket(team: str, ticket: Ticket, owner: Route) -> Iterator[Route]:
    if ticket.hours is None:
        yield {"receiver": receivers.ticket(team), **owner}
        return
    # Alertmanager drops what it mutes, ends among it: the record is told at once, whatever the hour.
    yield {"receiver": receivers.record(team), **owner, "continue": True}
    yield {"receiver": receivers.ticket(team), **owner, "active_time_intervals": [_hours(team)]}


def _owner(team: Team, owner_label: str) -> Route:
    return {"matchers": [f'{owner_label}="{team.name}"']}
