"""Figures come from the record alone: each has its definition, and what isn't known is no zero."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sereno_backends.incidents import (
    AlertStatus,
    EntryKind,
    EntrySource,
    Incident,
    IncidentAlert,
    IncidentEntry,
    Notification,
)
from sereno_postmortems.reports import Rules, figures_of, month_of, summary_of
from sereno_postmortems.reports.figures import night_of
from support.incidents import PAGE, TICKET, at

RULES = Rules(UTC)
MADRID = ZoneInfo("Europe/Madrid")


def alert(
    starts_at: datetime, ends_at: datetime | None = None, labels: dict[str, str] = PAGE, fingerprint: str = "f"
) -> IncidentAlert:
    """One time of firing."""
    return IncidentAlert(fingerprint, labels, {}, starts_at, ends_at)


def entry(kind: EntryKind, happened_at: datetime, author: str = "ana", **more: object) -> IncidentEntry:
    """What somebody did."""
    return IncidentEntry(f"{kind}-{happened_at}", kind, author, happened_at, happened_at, "words", **more)  # type: ignore[arg-type]


def incident(
    *alerts: IncidentAlert, entries: tuple[IncidentEntry, ...] = (), told: tuple[datetime, ...] = ()
) -> Incident:
    """An incident of these alerts, told of at these times."""
    ends = [one.ends_at for one in alerts]
    opened_at = min(one.starts_at for one in alerts)
    fingerprints = tuple(one.fingerprint for one in alerts)
    return Incident(
        incident_id=f"{opened_at:%Y-%m-%d}-shop-availability",
        service="shop",
        slo="availability",
        group_labels={"service": "shop", "slo": "availability"},
        opened_at=opened_at,
        resolved_at=None if None in ends else max(end for end in ends if end is not None),
        alerts=alerts,
        notifications=tuple(Notification(time, AlertStatus.FIRING, "page", "k", fingerprints, ()) for time in told),
        entries=entries,
    )


def test_a_page_in_figures() -> None:
    """Time to page, to acknowledge and to resolve, and whose page it was."""
    page = incident(
        alert(at(10), at(10, 40)),
        entries=(entry(EntryKind.ACKNOWLEDGEMENT, at(10, 4)), entry(EntryKind.ACKNOWLEDGEMENT, at(10, 9), "ben")),
        told=(at(10, 0, 12), at(10, 30)),
    )
    figures = figures_of(page, RULES)
    assert (figures.is_page, figures.is_noise, figures.night) == (True, False, None)
    assert figures.time_to_page == timedelta(seconds=12)
    assert figures.time_to_acknowledge == timedelta(minutes=4)
    assert figures.time_to_resolve == timedelta(minutes=40)
    assert figures.people == ("ana",)


def test_a_ticket_that_became_a_page_is_called_when_it_pages() -> None:
    """Nobody could acknowledge the page before it came; the incident itself is as old as its ticket."""
    grown = incident(
        alert(at(8), at(12), TICKET, "t"),
        alert(at(10), at(11)),
        entries=(entry(EntryKind.ACKNOWLEDGEMENT, at(10, 5)),),
        told=(at(10, 0, 10),),
    )
    figures = figures_of(grown, RULES)
    assert (figures.time_to_page, figures.time_to_acknowledge) == (timedelta(seconds=10), timedelta(minutes=5))
    assert figures.time_to_resolve == timedelta(hours=4)
    ticket = figures_of(incident(alert(at(23), at(23, 9), TICKET), told=(at(23, 5),)), RULES)
    assert (ticket.is_page, ticket.time_to_page, ticket.night, ticket.is_noise) == (False, None, None, False)


def test_what_is_not_known_is_no_zero() -> None:
    """Open, unacknowledged, acknowledged only afterwards, never told: None; and no time is negative."""
    still_open = figures_of(incident(alert(at(10))), RULES)
    assert (still_open.time_to_resolve, still_open.time_to_acknowledge, still_open.paged_at) == (None, None, None)
    assert not still_open.is_noise
    late = incident(alert(at(10), at(10, 5)), entries=(entry(EntryKind.ACKNOWLEDGEMENT, at(11)),), told=(at(9, 59),))
    assert figures_of(late, RULES).time_to_acknowledge is None
    assert figures_of(late, RULES).time_to_page == timedelta(0)


@pytest.mark.parametrize(
    ("entries", "is_noise"),
    [
        ((), True),
        ((entry(EntryKind.NOTE, at(12)),), False),
        ((entry(EntryKind.MITIGATION, at(10, 5)),), False),
        ((entry(EntryKind.ASSIGNMENT, at(10), people=("ana",), source=EntrySource.PAGERDUTY, by_person=False),), True),
        ((entry(EntryKind.RESOLUTION, at(10, 9), "PagerDuty", source=EntrySource.PAGERDUTY, by_person=False),), True),
        ((entry(EntryKind.RESOLUTION, at(10, 9), source=EntrySource.PAGERDUTY),), False),
        (
            (
                entry(EntryKind.NOTE, at(10, 5)),
                entry(EntryKind.WITHDRAWAL, at(10, 6), corrects=f"{EntryKind.NOTE}-{at(10, 5)}"),
            ),
            True,
        ),
    ],
)
def test_noise_is_a_page_that_needed_nobody(entries: tuple[IncidentEntry, ...], is_noise: bool) -> None:
    """Only what a person did, and what still stands, makes a short page no noise."""
    assert figures_of(incident(alert(at(10), at(10, 30)), entries=entries), RULES).is_noise is is_noise
    assert not figures_of(incident(alert(at(10), at(10, 31)), entries=entries), RULES).is_noise


def test_whose_page_it_was() -> None:
    """Who acknowledged, else whom PagerDuty called, else the owner's team, else nobody."""
    called = entry(EntryKind.ASSIGNMENT, at(10), "PagerDuty", people=("ana", "ben"), by_person=False)
    by_program = entry(EntryKind.ACKNOWLEDGEMENT, at(10, 1), "PagerDuty", by_person=False)
    assert figures_of(incident(alert(at(10)), entries=(called, by_program)), RULES).people == ("ana", "ben")
    assert figures_of(incident(alert(at(10))), RULES).people == ("team payments",)
    assert figures_of(incident(alert(at(10), labels={"severity": "critical"})), RULES).people == ("nobody",)


@pytest.mark.parametrize(
    ("moment", "night"),
    [
        (datetime(2026, 11, 22, 20, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 22, 21, 0, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 23, 5, 59, 59, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 23, 6, 0, tzinfo=UTC), None),
        (datetime(2026, 7, 1, 20, 0, tzinfo=UTC), date(2026, 7, 1)),
    ],
)
def test_night_is_where_the_people_live(moment: datetime, night: date | None) -> None:
    """22:00 to 07:00 of their clocks, summer time included, named by its evening."""
    assert night_of(moment, Rules(MADRID)) == night


def test_a_month_is_the_peoples_month() -> None:
    """Its borders are midnights there; what was opened at the border belongs to one of both months."""
    november, october = month_of("2026-11", MADRID), month_of("2026-10", MADRID)
    assert november.begin.astimezone(UTC) == datetime(2026, 10, 31, 23, tzinfo=UTC) == october.end.astimezone(UTC)
    assert month_of("2026-12", UTC).end == datetime(2027, 1, 1, tzinfo=UTC)
    border = incident(alert(datetime(2026, 10, 31, 23, tzinfo=UTC)))
    now = at(12)
    assert len(summary_of([border], november, Rules(MADRID), now).incidents) == 1
    assert summary_of([border], october, Rules(MADRID), now).incidents == ()
    for wrong in ("2026", "2026-13", "November", "", "9999-12", "2026-1-1"):
        with pytest.raises(ValueError, match="is no month"):
            month_of(wrong, UTC)


def many() -> Iterator[Incident]:
    """Three pages (two by night), a ticket that lasts long, and one of another month."""
    acknowledged = (entry(EntryKind.ACKNOWLEDGEMENT, at(23, 10)),)
    yield incident(alert(at(23), at(23, 30)), entries=acknowledged, told=(at(23, 0, 10),))
    yield incident(alert(at(23) + timedelta(hours=4), at(23) + timedelta(hours=4, minutes=5)))
    yield incident(alert(datetime(2026, 11, 3, 12, tzinfo=UTC), datetime(2026, 11, 3, 14, tzinfo=UTC)))
    yield incident(alert(datetime(2026, 11, 10, 9, tzinfo=UTC), labels=TICKET))
    yield incident(alert(datetime(2026, 10, 10, 9, tzinfo=UTC)))


def test_a_month_in_figures() -> None:
    """Counts, medians, weeks with and without incidents, the worst SLO, nights by person, noise."""
    summary = summary_of(many(), month_of("2026-11", UTC), RULES, datetime(2026, 11, 24, tzinfo=UTC))
    assert (len(summary.incidents), len(summary.pages), len(summary.noise)) == (4, 3, 1)
    assert (summary.acknowledge.number, summary.acknowledge.median) == (1, timedelta(minutes=10))
    assert summary.unacknowledged == 2
    assert (summary.resolve.number, summary.resolve.median) == (3, timedelta(minutes=30))
    assert summary.resolve.longest == timedelta(hours=2)
    assert [(week.monday.day, week.pages, week.tickets) for week in summary.weeks] == [
        (26, 0, 0),
        (2, 1, 0),
        (9, 0, 1),
        (16, 1, 0),
        (23, 1, 0),
    ]
    (slo,) = summary.slos
    assert (slo.name, slo.incidents, slo.pages) == ("shop/availability", 4, 3)
    assert slo.time_open == timedelta(days=13, hours=15, minutes=155)
    assert [(one.name, one.pages, one.by_night) for one in summary.people] == [
        ("team payments", 2, ((date(2026, 11, 22), 1),)),
        ("ana", 1, ((date(2026, 11, 22), 1),)),
    ]
