"""Windows that begin with a calendar week, month or quarter."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sereno_slo.calendars.zones import zone_info
from sereno_slo.duration import Duration


class CalendarUnit(StrEnum):
    """What a window is. Weeks begin on Monday (ISO 8601)."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


_NOMINAL = {CalendarUnit.WEEK: "7d", CalendarUnit.MONTH: "30d", CalendarUnit.QUARTER: "91d"}
# The longest one, and the hour that a change of the clocks may add.
_LONGEST = {CalendarUnit.WEEK: "7d1h", CalendarUnit.MONTH: "31d1h", CalendarUnit.QUARTER: "92d1h"}
_MONTHS = {CalendarUnit.MONTH: 1, CalendarUnit.QUARTER: 3}


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """From the beginning of a week, month or quarter in a time zone to its end."""

    unit: CalendarUnit
    timezone: str

    @property
    def nominal(self) -> Duration:
        """What burn rates take its length for: 7, 30 or 91 days."""
        return Duration.parse(_NOMINAL[self.unit])

    @property
    def longest(self) -> Duration:
        """No window of this kind is longer."""
        return Duration.parse(_LONGEST[self.unit])

    def around(self, moment: datetime) -> tuple[datetime, datetime]:
        """Beginning and end of the window that holds `moment`, in UTC."""
        zone = zone_info(self.timezone)
        midnight = moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
        if self.unit is CalendarUnit.WEEK:
            start = midnight - timedelta(days=midnight.weekday())
            end = start + timedelta(days=7)
        else:
            months = _MONTHS[self.unit]
            first = (midnight.month - 1) // months * months
            start, end = _first_of(midnight.year, first), _first_of(midnight.year, first + months)
        return start.replace(tzinfo=zone).astimezone(UTC), end.replace(tzinfo=zone).astimezone(UTC)


_MONTHS_A_YEAR = 12


def _first_of(year: int, month: int) -> datetime:
    """The first midnight of a month; months are counted from 0, and may go on into the next year."""
    return datetime(year + month // _MONTHS_A_YEAR, month % _MONTHS_A_YEAR + 1, 1)  # noqa: DTZ001 - what the wall shows
