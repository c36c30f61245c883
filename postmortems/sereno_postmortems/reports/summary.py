"""The figures of a period: counts, medians, who was paged when. A function of incidents and a period."""

import calendar
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from statistics import median

from sereno_backends.incidents import Incident

from sereno_postmortems.reports.figures import IncidentFigures, Rules, figures_of


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment up to another, which no longer belongs to it."""

    name: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Spread:
    """What times have in common; nothing where there are none."""

    number: int
    median: timedelta | None
    longest: timedelta | None


@dataclass(frozen=True, slots=True)
class Week:
    """A week that begins on a Monday, as far as it lies in the period."""

    monday: date
    pages: int
    tickets: int
    acknowledge: Spread
    resolve: Spread


@dataclass(frozen=True, slots=True)
class SloFigures:
    """What one SLO (or other subject) did to people."""

    name: str
    incidents: int
    pages: int
    time_open: timedelta
    """All of its incidents together, open ones up to the end of the period or now."""


@dataclass(frozen=True, slots=True)
class PersonFigures:
    """Who was paged, how often, and in which nights."""

    name: str
    pages: int
    by_night: tuple[tuple[date, int], ...]
    """By the evening; only nights with pages."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One period in figures."""

    period: Period
    incidents: tuple[IncidentFigures, ...]
    """Those opened in the period, by opening."""
    page: Spread
    """From alert to notification, of pages."""
    acknowledge: Spread
    """Of pages that were acknowledged before they ended."""
    unacknowledged: int
    """Pages that ended, or still are, without."""
    resolve: Spread
    """Of all that ended."""
    weeks: tuple[Week, ...]
    slos: tuple[SloFigures, ...]
    """The longest time open first."""
    people: tuple[PersonFigures, ...]
    """The most pages first."""

    @property
    def pages(self) -> tuple[IncidentFigures, ...]:
        """The incidents that paged."""
        return tuple(one for one in self.incidents if one.is_page)

    @property
    def noise(self) -> tuple[IncidentFigures, ...]:
        """The pages that needed nobody."""
        return tuple(one for one in self.incidents if one.is_noise)


def month_of(text: str, zone: tzinfo) -> Period:
    """The month `2026-11` where the people live.

    Raises:
        ValueError: it is no month; the message says what to write.
    """
    try:
        first = datetime.strptime(f"{text}-01", "%Y-%m-%d").replace(tzinfo=zone)
        days = calendar.monthrange(first.year, first.month)[1]
        following = first.date() + timedelta(days=days)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no month; write it like 2026-11") from None
    return Period(f"{first:%Y-%m}", first, datetime(following.year, following.month, 1, tzinfo=zone))


def summary_of(incidents: Iterable[Incident], period: Period, rules: Rules, now: datetime) -> Summary:
    """The figures of all incidents that were opened in the period."""
    chosen = sorted(
        (figures_of(one, rules) for one in incidents if period.begin <= one.opened_at < period.end),
        key=lambda one: (one.incident.opened_at, one.incident.incident_id),
    )
    pages = [one for one in chosen if one.is_page]
    acknowledged = [one.time_to_acknowledge for one in pages]
    return Summary(
        period=period,
        incidents=tuple(chosen),
        page=_spread(one.time_to_page for one in pages),
        acknowledge=_spread(acknowledged),
        unacknowledged=acknowledged.count(None),
        resolve=_spread(one.time_to_resolve for one in chosen),
        weeks=_weeks(chosen, period, rules, now),
        slos=_slos(chosen, min(now, period.end)),
        people=_people(pages),
    )


def _spread(times: Iterable[timedelta | None]) -> Spread:
    known = sorted(one for one in times if one is not None)
    if not known:
        return Spread(0, None, None)
    middle = timedelta(seconds=median(one.total_seconds() for one in known))
    return Spread(len(known), middle, known[-1])


def _weeks(chosen: Sequence[IncidentFigures], period: Period, rules: Rules, now: datetime) -> tuple[Week, ...]:
    """All weeks of the period up to now, those without incidents, too."""

    def monday(at: datetime) -> date:
        day = at.astimezone(rules.zone).date()
        return day - timedelta(days=day.weekday())

    by_week: defaultdict[date, list[IncidentFigures]] = defaultdict(list)
    for one in chosen:
        by_week[monday(one.incident.opened_at)].append(one)
    last = max([*by_week, monday(min(now, period.end - timedelta(seconds=1)))])
    weeks, current = [], monday(period.begin)
    while current <= last:
        inside = by_week[current]
        pages = [one for one in inside if one.is_page]
        weeks.append(
            Week(
                monday=current,
                pages=len(pages),
                tickets=len(inside) - len(pages),
                acknowledge=_spread(one.time_to_acknowledge for one in pages),
                resolve=_spread(one.time_to_resolve for one in inside),
            )
        )
        current += timedelta(days=7)
    return tuple(weeks)


def _slos(chosen: Iterable[IncidentFigures], until: datetime) -> tuple[SloFigures, ...]:
    by_name: defaultdict[str, list[IncidentFigures]] = defaultdict(list)
    for one in chosen:
        by_name[subject_of(one.incident)].append(one)
    found = [
        SloFigures(
            name=name,
            incidents=len(same),
            pages=sum(one.is_page for one in same),
            time_open=sum(
                (max(timedelta(0), (one.incident.resolved_at or until) - one.incident.opened_at) for one in same),
                timedelta(0),
            ),
        )
        for name, same in by_name.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.time_open, -one.incidents, one.name)))


def subject_of(incident: Incident) -> str:
    """What an incident is about, in words."""
    if incident.service and incident.slo:
        return f"{incident.service}/{incident.slo}"
    return ", ".join(f"{name}={value}" for name, value in sorted(incident.group_labels.items()))


def _people(pages: Iterable[IncidentFigures]) -> tuple[PersonFigures, ...]:
    counts: Counter[str] = Counter()
    nights: defaultdict[str, Counter[date]] = defaultdict(Counter)
    for one in pages:
        for name in one.people:
            counts[name] += 1
            if one.night is not None:
                nights[name][one.night] += 1
    found = [PersonFigures(name, number, tuple(sorted(nights[name].items()))) for name, number in counts.items()]
    return tuple(sorted(found, key=lambda one: (-one.pages, one.name)))
