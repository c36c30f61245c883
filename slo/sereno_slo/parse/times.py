"""The words of the grammar that name moments, hours, zones and former names; each knows its mistake and the cure."""

import difflib
import re
from datetime import datetime
from typing import Annotated, Any

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from sereno_slo.calendars import NoRule, NoSuchZone, zone_names, zone_rule
from sereno_slo.duration import Duration
from sereno_slo.parse.words import DurationText, Text, mistake, read_duration

_TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
_REFERENCE = r"^([a-z0-9][a-z0-9-]*/)?[a-z0-9][a-z0-9-]*$"
_LONGEST_RECURRING = Duration.parse("6d")
_CRON_FIELDS = 5


def _timezone(name: str) -> str:
    try:
        zone_rule(name)
    except NoSuchZone:
        raise mistake("SLO041", f"there is no time zone {name}", f"write {_nearest_zone(name)}") from None
    except NoRule:
        cure = "write UTC, or a zone whose clocks change by a rule"
        raise mistake("SLO041", f"the clocks of {name} change by a table, which no rule can hold", cure) from None
    return name


def _nearest_zone(name: str) -> str:
    """`bogota` means America/Bogota; otherwise an example."""
    known = {**{zone.rpartition("/")[2].lower(): zone for zone in zone_names()}, **{z.lower(): z for z in zone_names()}}
    near = difflib.get_close_matches(name.lower().replace(" ", "_"), sorted(known), n=1, cutoff=0.7)
    return known[near[0]] if near else "for example UTC or Europe/Madrid"


def _moment(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    cure = "write for example 2026-11-20T10:00:00Z or 2026-11-20T05:00:00-05:00"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise mistake("SLO043", f"{text!r} is no moment", cure) from None
    if moment.tzinfo is None:
        raise mistake("SLO043", f"{text} names no time zone", f"write {moment.isoformat()}Z if it is UTC")
    return text


def _time_of_day(text: Any) -> Any:
    if isinstance(text, str) and not re.fullmatch(_TIME_OF_DAY, text):
        raise mistake("SLO043", f"{text!r} is no time of a day", "write hours and minutes, for example 02:00")
    return text


def _beginning(text: Any) -> Any:
    if text == "24:00":
        raise mistake("SLO043", "nothing begins at 24:00", "write 00:00, of the next day")
    return text


def read_cron(text: str) -> CronSim:
    """The fields of a cron line.

    Raises:
        ValueError: it is none, or uses what no other cron has; the message says which.
    """
    if len(text.split()) != _CRON_FIELDS:
        raise ValueError(f"{text!r} has {len(text.split())} fields")
    try:
        # Only the fields are read: the date is none that matters.
        line = CronSim(text, datetime(2026, 1, 1))  # noqa: DTZ001
    except CronSimError as error:
        raise ValueError(f"{text!r}: {str(error)[:1].lower()}{str(error)[1:]}") from None
    if any(not isinstance(each, int) for each in line.weekdays) or min(line.days) < 1:
        raise ValueError(f"{text!r} counts days from the end of a month")
    return line


def _cron(text: Any) -> Any:
    if isinstance(text, str):
        try:
            read_cron(text)
        except ValueError as error:
            cure = "write minute, hour, day of month, month and day of week, for example 0 2 * * 0"
            raise mistake("SLO043", str(error), cure) from None
    return text


def _recurring_length(text: Any) -> Any:
    if isinstance(text, str) and read_duration(text) > _LONGEST_RECURRING:
        raise mistake("SLO046", f"{text} again and again leave no time that counts", "write at most 6d")
    return text


def _reference(text: Any) -> Any:
    if isinstance(text, str) and not re.fullmatch(_REFERENCE, text):
        raise mistake("SLO047", f"{text!r} is no SLO's name", "write its former name, or service/name")
    return text


TimezoneName = Annotated[Text, AfterValidator(_timezone)]
MomentText = Annotated[str, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
TimeOfDayText = Annotated[
    str, BeforeValidator(_time_of_day), WithJsonSchema({"type": "string", "pattern": _TIME_OF_DAY})
]
BeginningText = Annotated[TimeOfDayText, BeforeValidator(_beginning)]
CronText = Annotated[str, BeforeValidator(_cron), Field(min_length=1)]
RecurringLengthText = Annotated[DurationText, BeforeValidator(_recurring_length)]
FormerName = Annotated[str, BeforeValidator(_reference), WithJsonSchema({"type": "string", "pattern": _REFERENCE})]
