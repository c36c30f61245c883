"""OpenSLO's time windows."""

import re

from sereno_slo.convert.draft import CalendarWindow, Remark, Slot, warning
from sereno_slo.convert.section import Section, Words
from sereno_slo.diagnostics import Diagnostic

# OpenSLO's letters for what has no fixed length, and the days that Prometheus' durations make of it.
_DAYS = {"M": 30, "Q": 91, "Y": 365}
_CALENDARS = {"1M": "month", "1Q": "quarter", "1w": "week", "7d": "week", "3M": "quarter"}
_USUAL = "30d"


def window_of(spec: Section, told: list[Remark]) -> str | CalendarWindow:
    """The window as sereno/v1 writes it; 30 days, with a mistake, where it can't."""
    windows = spec.sections("timeWindow")
    if not windows:
        message = f"there is no timeWindow; {_USUAL} is written"
        cure = "write another window if yours is one"
        told.append(Remark(Slot.WINDOW, warning("SLO065", spec.span, message, cure)))
        return _USUAL
    if len(windows) > 1:
        spec.mistakes.append(
            Diagnostic("SLO063", windows[1].span, "there are several timeWindows", "write an SLO for each")
        )
    window = windows[0]
    duration, calendar = window.required("duration", "30d"), window.section("calendar")
    is_rolling = window.flag("isRolling")
    if duration is None:
        return _USUAL
    if calendar is not None and not is_rolling:
        return _calendar(duration, calendar, spec, told)
    return _rolling(duration, told)


def _rolling(duration: Words, told: list[Remark]) -> str:
    found = re.fullmatch(r"([0-9]+)([MQY])", duration.text)
    if found is None:
        return duration.text  # the compiler itself says what is wrong with it
    written = f"{int(found[1]) * _DAYS[found[2]]}d"
    message = f"a rolling window of {duration.text} has no fixed length: {written} is written"
    cure = "calendar months and quarters are written as window: {calendar: month}"
    told.append(Remark(Slot.WINDOW, warning("SLO066", duration.span, message, cure)))
    return written


def _calendar(duration: Words, calendar: Section, spec: Section, told: list[Remark]) -> str | CalendarWindow:
    start, zone = calendar.words("startTime"), calendar.words("timeZone")
    kind = _CALENDARS.get(duration.text)
    if kind is None:
        message = f"a calendar window of {duration.text} is neither a month, a quarter nor a week"
        spec.mistakes.append(Diagnostic("SLO062", duration.span, message, "write 1M, 1Q or 1w"))
        return _USUAL
    if start is not None:
        message = f"startTime {start.text}: calendar windows begin at midnight on the first day of each {kind}"
        told.append(Remark(Slot.WINDOW, warning("SLO066", start.span, message, "nothing to do if it is one")))
    return CalendarWindow(kind, zone.text if zone else "UTC")


def days_of(window: str | CalendarWindow) -> int | None:
    """How many days the window has, or usually has; None where it is no whole number of days."""
    if isinstance(window, CalendarWindow):
        return {"month": 30, "quarter": 91, "week": 7}[window.calendar]
    found = re.fullmatch(r"([0-9]+)([dw])", window)
    return int(found[1]) * (7 if found[2] == "w" else 1) if found else None
