"""Windows, exclusions and former names: what they mean, and the mistakes between their parts."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from sereno_slo.calendars import (
    DAY_SECONDS,
    DAYS_OF_WEEK,
    CalendarUnit,
    CalendarWindow,
    Days,
    Exclusion,
    Once,
    Recurring,
    Schedule,
)
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.duration import Duration
from sereno_slo.parse.grammar import (
    CalendarWindowDocument,
    CronDocument,
    ExclusionDocument,
    SloDocument,
    SpecDocument,
    WeeklyDocument,
)
from sereno_slo.parse.times import read_cron
from sereno_slo.parse.yaml_tree import Path, YamlTree

_SCHEDULES = ("once", "weekly", "cron")
MOST_EXCLUSIONS = 100
"""Each costs every sum of every window as much again."""
LEAST_GAP_SECONDS = 30 * 60
"""Sums leave out up to a quarter of an hour around a stretch (plan/windows.py): shorter gaps would hardly count."""
MOST_STRETCHES = 24
"""More would make rules that nobody can read, and that cost as much as the ledger itself."""


def calendar_of(document: str | CalendarWindowDocument | None) -> CalendarWindow | None:
    """The calendar window that a document names; None where it rolls."""
    if not isinstance(document, CalendarWindowDocument):
        return None
    return CalendarWindow(CalendarUnit(document.calendar), document.timezone)


def exclusions_of(slo: str, spec: SpecDocument) -> tuple[Exclusion, ...]:
    """What doesn't count in this SLO, in the spec's order."""
    return tuple(_exclusion(each) for each in spec.exclusions if each.slos is None or slo in each.slos)


def former_names(slo: SloDocument, service: str) -> tuple[tuple[str, str], ...]:
    """Service and name that the SLO had before."""
    return tuple((of or service, name) for of, _, name in (each.rpartition("/") for each in slo.formerly))


def _exclusion(document: ExclusionDocument) -> Exclusion:
    schedule, in_words = _schedule(document)
    return Exclusion(document.reason, document.author, schedule, in_words)


def _schedule(document: ExclusionDocument) -> tuple[Schedule, str]:
    if document.once is not None:
        start, end = document.once.start, document.once.end
        return Once(_seconds(start), _seconds(end)), f"{start} to {end}"
    if document.weekly is not None:
        return _weekly(document.weekly)
    if document.cron is not None:
        return _cron(document.cron)
    raise AssertionError("structural mistakes refuse an exclusion without a time")


def _weekly(weekly: WeeklyDocument) -> tuple[Recurring, str]:
    start, end = _since_midnight(weekly.start), _since_midnight(weekly.end)
    length = end - start if end > start else end - start + DAY_SECONDS
    days = Days(weekdays=frozenset((DAYS_OF_WEEK.index(weekly.day),)))
    in_words = f"{weekly.day}s {weekly.start} to {weekly.end} {weekly.timezone}"
    return Recurring((start,), length, days, weekly.timezone), in_words


def _cron(cron: CronDocument) -> tuple[Recurring, str]:
    line = read_cron(cron.schedule)
    weekdays = _some({day % _WEEKDAYS for day in line.weekdays if isinstance(day, int)}, of=_WEEKDAYS)
    month_days = _some(line.days, of=_MONTH_DAYS)
    either = not line.day_and
    if either and (weekdays is None or month_days is None):
        weekdays = month_days = None  # one of the two holds on every day
    days = Days(weekdays, month_days, _some(line.months, of=_MONTHS), either=either and weekdays is not None)
    starts = tuple(hour * 3600 + minute * 60 for hour in sorted(line.hours) for minute in sorted(line.minutes))
    length = Duration.parse(cron.length)
    in_words = f"{cron.length} from each {cron.schedule} (cron, {cron.timezone})"
    return Recurring(starts, round(length.seconds), days, cron.timezone), in_words


_WEEKDAYS, _MONTH_DAYS, _MONTHS = 7, 31, 12


def _some(chosen: set[int], *, of: int) -> frozenset[int] | None:
    """None where all of them are chosen."""
    return None if len(chosen) == of else frozenset(chosen)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _since_midnight(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 3600 + int(minutes) * 60


def exclusion_mistakes(tree: YamlTree, spec: dict[str, Any]) -> Iterator[Diagnostic]:
    """Of all exclusions of a spec; what the grammar refuses itself is left to it."""
    names = [each.get("name") for key in ("slos", "journeys") for each in _mappings(spec.get(key))]
    exclusions = spec.get("exclusions")
    if isinstance(exclusions, list) and len(exclusions) > MOST_EXCLUSIONS:
        cure = f"remove those whose time has left the window; {MOST_EXCLUSIONS} may stay"
        yield Diagnostic("SLO046", tree.key_span(("exclusions",)), f"there are {len(exclusions)} exclusions", cure)
    for index, exclusion in enumerate(exclusions if isinstance(exclusions, list) else []):
        if isinstance(exclusion, dict):
            yield from _of_exclusion(tree, ("exclusions", index), exclusion, names)


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _of_exclusion(tree: YamlTree, path: Path, exclusion: dict[str, Any], names: list[Any]) -> Iterator[Diagnostic]:
    kinds = [kind for kind in _SCHEDULES if exclusion.get(kind) is not None]
    if len(kinds) != 1:
        found = f"{len(kinds)} times ({', '.join(kinds)})" if kinds else "no time"
        yield Diagnostic("SLO042", tree.span(path), f"the exclusion has {found}", "write one of once, weekly and cron")
    chosen = exclusion.get("slos")
    for position, name in enumerate(chosen if isinstance(chosen, list) else []):
        if isinstance(name, str) and name not in names:
            cure = f"write one of {', '.join(map(str, names))}"
            yield Diagnostic("SLO045", tree.span((*path, "slos", position)), f"{name} is no SLO of this service", cure)
    yield from _of_once(tree, (*path, "once"), exclusion.get("once"))
    yield from _of_weekly(tree, (*path, "weekly"), exclusion.get("weekly"))
    yield from _of_cron(tree, (*path, "cron"), exclusion.get("cron"))


def _of_once(tree: YamlTree, path: Path, once: Any) -> Iterator[Diagnostic]:
    moments = [_moment(once.get(key)) for key in ("from", "to")] if isinstance(once, dict) else []
    start, end = moments if len(moments) == 2 else (None, None)  # noqa: PLR2004
    if start is not None and end is not None and end <= start:
        message = f"{once['to']} is not after {once['from']}"
        yield Diagnostic("SLO043", tree.span((*path, "to")), message, "an exclusion ends after it begins")


def _of_weekly(tree: YamlTree, path: Path, weekly: Any) -> Iterator[Diagnostic]:
    if isinstance(weekly, dict) and isinstance(weekly.get("to"), str) and weekly.get("to") == weekly.get("from"):
        message = f"from {weekly['from']} to {weekly['to']} is no time, or a whole day"
        yield Diagnostic("SLO043", tree.span((*path, "to")), message, "for a whole day write from 00:00 to 24:00")


def _of_cron(tree: YamlTree, path: Path, cron: Any) -> Iterator[Diagnostic]:
    try:
        schedule, _ = _cron(CronDocument.model_validate(cron))
    except ValueError:
        return  # the grammar says what is wrong
    stretches = len(schedule.stretches)
    if stretches > MOST_STRETCHES:
        message = f"{cron['schedule']} begins {stretches} times a day"
        cure = f"write at most {MOST_STRETCHES} times a day, or a longer `for`, so that they join"
        yield Diagnostic("SLO046", tree.span((*path, "schedule")), message, cure)
    elif schedule.days == Days() and _leaves_nothing(schedule):
        message = f"{cron['for']} from each {cron['schedule']} leave no time that counts"
        cure = "write a shorter time, or fewer days: around each a quarter of an hour is left out as well"
        yield Diagnostic("SLO046", tree.span((*path, "for")), message, cure)


def _leaves_nothing(daily: Recurring) -> bool:
    """Whether what is left out around the stretches of a day closes every gap between them."""
    first, last = daily.stretches[0], daily.stretches[-1]
    around_midnight = (last[1] - DAY_SECONDS, first[0])
    gaps = [(one[1], other[0]) for one, other in pairwise(daily.stretches)]
    return all(begin - end < LEAST_GAP_SECONDS for end, begin in (*gaps, around_midnight))


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if moment is None or moment.tzinfo is None else moment
