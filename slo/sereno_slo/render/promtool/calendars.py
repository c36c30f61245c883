"""Calendar windows, told by days (`days.py`): what was counted before a window began is another window's."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from sereno_slo.calendars import CalendarUnit, CalendarWindow
from sereno_slo.duration import MINUTE, Duration
from sereno_slo.model import Journey, Service, ServiceLevelObjective
from sereno_slo.plan import series
from sereno_slo.plan.series import Ledger
from sereno_slo.render.promtool.cases import Bench, Case
from sereno_slo.render.promtool.streams import Series

_DAY = Duration.parse("1d")
# The first window of 1970 that begins within the test, in days; whatever the zone, it has begun two days later.
_NEXT_BEGINS = {CalendarUnit.WEEK: 4, CalendarUnit.MONTH: 31}
_EVENTS, _BAD, _LATER_EVENTS, _LATER_BAD = 5000, 50, 300, 3


def calendar_cases(bench: Bench, window: CalendarWindow) -> Iterator[Case]:
    """Events of one window, and of the next one."""
    begins = _NEXT_BEGINS[window.unit]
    before, after = begins - 2, begins + 2
    yield bench.case(
        f"each calendar {window.unit} begins anew",
        [
            _entered(bench, series.EVENTS_ENTRY, {before: _EVENTS, after: _LATER_EVENTS}),
            _entered(bench, series.BAD_EVENTS_ENTRY, {before: _BAD, after: _LATER_BAD}),
        ],
        bench.recorded(str(_DAY * before), "sereno:events:window", _EVENTS),
        bench.recorded(str(_DAY * before), "sereno:bad_events:window", _BAD),
        bench.recorded(str(_DAY * after), "sereno:events:window", _LATER_EVENTS),
        bench.recorded(str(_DAY * after), "sereno:bad_events:window", _LATER_BAD),
    )


def _entered(bench: Bench, name: str, days: dict[int, float]) -> Series:
    """So many on each day, entered a minute before its midnight."""
    a_day = round(_DAY / MINUTE)
    values: list[float | None] = [None] * (max(days) * a_day + 1)
    for day, count in days.items():
        values[day * a_day - 1] = count
    return Series(Ledger.of(bench.slo).series(name), tuple(values))


def rehearsed(service: Service) -> Service:
    """The service as promtool can rehearse it; the same where nothing is excluded and no window is a quarter.

    promtool's clock begins at midnight on a Thursday in 1970, which may be excluded, and its engine holds no more than
    10,000 samples at once, too few for the steps of a month. Sereno's own tests show on a real Prometheus what
    exclusions leave out.
    """
    slos, journeys = tuple(map(_rehearsed, service.slos)), tuple(map(_rehearsed, service.journeys))
    return replace(service, slos=slos, journeys=journeys)


AnyObjective = TypeVar("AnyObjective", ServiceLevelObjective, Journey)


def _rehearsed(objective: AnyObjective) -> AnyObjective:
    is_quarter = objective.calendar is not None and objective.calendar.unit is CalendarUnit.QUARTER
    return replace(objective, exclusions=(), calendar=None if is_quarter else objective.calendar)
