"""Time zones as rules: what a clock on the wall shows at any moment, in Python and in PromQL.

Prometheus knows UTC only. A zone's rule for today and all future years fits into one line (POSIX `TZ`, RFC 8536 section
3.3, the footer of every file of the time zone database), which PromQL can compute; tables of past changes don't. The
database is that of the package `tzdata`, not the machine's: the same spec gives the same rules everywhere.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import metadata, resources
from zoneinfo import ZoneInfo

HOUR_SECONDS = 3600
DAY_SECONDS = 24 * HOUR_SECONDS


class NoSuchZone(ValueError):  # noqa: N818 - reads as what happened
    """The database has no zone of this name."""


class NoRule(ValueError):  # noqa: N818 - reads as what happened
    """The zone changes its clocks by a table of dates (Ramadan, decrees), not by a rule."""


@dataclass(frozen=True, slots=True)
class Change:
    """The yearly moment of a change: the `week`th `weekday` (5: the last; Sunday is 0) of a month.

    `seconds` after that day's midnight, by the clock that is about to change; may be negative or more than a day.
    """

    month: int
    week: int
    weekday: int
    seconds: int

    def shown(self, year: int) -> datetime:
        """What the clock shows then, as if it were UTC's."""
        first = datetime(year, self.month, 1, tzinfo=UTC)
        day = first + timedelta(days=(self.weekday - first.isoweekday()) % 7 + 7 * (self.week - 1))
        if day.month != self.month:
            day -= timedelta(days=7)  # the fifth one is the last
        return day + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone's rule. Offsets are seconds east of UTC; without daylight saving time both changes are None."""

    name: str
    standard_seconds: int
    summer_seconds: int = 0
    summer_begins: Change | None = None
    summer_ends: Change | None = None

    def changes(self, year: int) -> tuple[datetime, ...]:
        """When summer time begins and ends in a year, in UTC; nothing where there is none."""
        if self.summer_begins is None or self.summer_ends is None:
            return ()
        begins, ends = self.summer_begins.shown(year), self.summer_ends.shown(year)
        return begins - timedelta(seconds=self.standard_seconds), ends - timedelta(seconds=self.summer_seconds)

    def offset_seconds(self, moment: datetime) -> int:
        """How far the clock is ahead of UTC."""
        changes = self.changes(moment.year)
        if not changes:
            return self.standard_seconds
        begins, ends = changes
        is_summer = begins <= moment < ends if begins < ends else not ends <= moment < begins
        return self.summer_seconds if is_summer else self.standard_seconds


@lru_cache(maxsize=256)
def zone_rule(name: str) -> Zone:
    """The rule of a zone of the time zone database.

    Raises:
        NoSuchZone: the database doesn't have it.
        NoRule: its clocks change by a table.
    """
    footer = _zone_file(name).rsplit(b"\n", 2)[-2].decode("ascii")
    found = re.fullmatch(
        r"(?:[A-Za-z]+|<[^>]+>)(?P<standard>[-+0-9:]+)"
        r"(?:(?:[A-Za-z]+|<[^>]+>)(?P<summer>[-+0-9:]*),(?P<begins>[^,]+),(?P<ends>[^,]+))?",
        footer,
    )
    if found is None:
        raise NoRule(name)
    zone = _zone(name, found)
    if not _follows(zone):
        raise NoRule(name)
    return zone


def _zone(name: str, found: re.Match[str]) -> Zone:
    # POSIX counts west of Greenwich, and summer time is an hour ahead unless it says otherwise.
    standard = -_seconds(found["standard"])
    if found["begins"] is None:
        return Zone(name, standard)
    summer = -_seconds(found["summer"]) if found["summer"] else standard + HOUR_SECONDS
    return Zone(name, standard, summer, _change(name, found["begins"]), _change(name, found["ends"]))


@lru_cache(maxsize=256)
def zone_info(name: str) -> ZoneInfo:
    """The same zone for Python's own dates; `zone_rule` says whether it exists."""
    package, _, resource = name.rpartition("/")
    folder = resources.files("tzdata.zoneinfo").joinpath(*package.split("/"))
    with folder.joinpath(resource).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def zone_names() -> frozenset[str]:
    """All names of the database."""
    listed = resources.files("tzdata").joinpath("zones").read_text("utf-8")
    return frozenset(listed.split())


def _zone_file(name: str) -> bytes:
    if name not in zone_names():
        raise NoSuchZone(name)
    return resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()


# What tables of later years say is known to nobody.
_YEARS_AHEAD = 8
_SAMPLED_DAYS = 5


def _follows(zone: Zone) -> bool:
    """Whether the clocks follow the rule from the middle of the database's year on.

    They don't where they follow the moon (Ramadan), or where a decree makes an exception soon. What was decreed before
    is the rule of today: the hours of last winter may be shown by it, too.
    """
    info, year = zone_info(zone.name), int(metadata.version("tzdata").partition(".")[0])
    begin, end = datetime(year, 7, 1, tzinfo=UTC), datetime(year + _YEARS_AHEAD, 1, 1, tzinfo=UTC)
    moments = [begin + timedelta(days=days) for days in range(0, (end - begin).days, _SAMPLED_DAYS)]
    changes = [change for each in range(year, year + _YEARS_AHEAD) for change in zone.changes(each) if change > begin]
    around = [change + timedelta(seconds=seconds) for change in changes for seconds in (-1, 0)]
    return all(
        round(info.utcoffset(each.astimezone(info)).total_seconds()) == zone.offset_seconds(each)  # type: ignore[union-attr]
        for each in (*moments, *around)
    )


def _change(name: str, text: str) -> Change:
    found = re.fullmatch(r"M([0-9]+)\.([0-9])\.([0-9])(?:/([-+0-9:]+))?", text)
    if found is None:
        raise NoRule(name)
    seconds = _seconds(found[4]) if found[4] else 2 * HOUR_SECONDS
    return Change(int(found[1]), int(found[2]), int(found[3]), seconds)


def _seconds(text: str) -> int:
    """`-5:30` in seconds."""
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = (*map(int, text.lstrip("+-").split(":")), 0, 0)[:3]
    return sign * (hours * HOUR_SECONDS + minutes * 60 + seconds)
