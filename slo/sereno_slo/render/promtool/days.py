"""What is usual, told by days and weeks: the usual events, and traffic that stays away. Evaluated once a day.

Weeks of minutes would take promtool minutes. Here rules are evaluated at midnight only, what they read is written as if
recorded, and nothing is scraped: none of these rules reads what services expose. Roll-ups come before alerts, so that a
day's alerts see what is usual on that day.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sereno_slo.duration import FIVE_MINUTES, MINUTE, Duration
from sereno_slo.plan import series, traffic
from sereno_slo.plan.series import Ledger
from sereno_slo.promql import Number
from sereno_slo.render.promtool.cases import Bench, Case, Expectation
from sereno_slo.render.promtool.streams import Series

_DAY = Duration.parse("1d")
_HOUR = Duration.parse("1h")
FEW_DAYS = Duration.parse("7d")
"""In windows of fewer days every median is an average."""
_SLOTS_A_DAY = _DAY / FIVE_MINUTES
_USUAL = 1000 * _SLOTS_A_DAY  # events a day


def day_cases(bench: Bench) -> Iterator[Case]:
    """The usual events of every SLO, and drops of the traffic where somebody is told of them."""
    if bench.slo.window >= FEW_DAYS:
        yield _usual_days(bench)
        yield _restful_days(bench)
        yield _moved_away(bench)
    if bench.slo.alerting.traffic_drop is not None:
        yield _traffic(bench)


def _entries(bench: Bench, days: Mapping[int, float]) -> Series:
    """So many events on each day, entered a minute before its midnight."""
    a_day = round(_DAY / MINUTE)
    values: list[float | None] = [None] * (max(days) * a_day + 1)
    for day, events in days.items():
        values[day * a_day - 1] = events
    return Series(Ledger.of(bench.slo).series(series.EVENTS_ENTRY), tuple(values))


def _expects(bench: Bench, day: int, a_slot: float) -> Expectation:
    return bench.recorded(str(_DAY * day), series.EXPECTED_EVENTS, a_slot)


def _usual_days(bench: Bench) -> Case:
    """Days before the ledger's first are none; a day of bots counts a fifth more than the median at most."""
    days = dict.fromkeys(range(1, 6), _USUAL) | {6: 500 * _USUAL}
    return bench.case(
        "what is usual is the average of whole days, and a day of bots hardly moves it",
        [_entries(bench, days)],
        _expects(bench, 3, 1000),
        _expects(bench, 6, float(str(Number(1.2 / _SLOTS_A_DAY))) * _USUAL),
    )


def _restful_days(bench: Bench) -> Case:
    """The median of most days without events is none, and no budget."""
    return bench.case(
        "where most days have no events their average is usual",
        [_entries(bench, {1: 0, 2: 0, 3: 0, 4: 4 * _USUAL})],
        _expects(bench, 4, 1000),
    )


def _moved_away(bench: Bench) -> Case:
    """At most twice what the last day or the last hour had; all events of a day are one roll-up here."""
    days = dict.fromkeys(range(1, 4), _USUAL) | {4: 100}
    last_hour = Ledger.of(bench.slo).series("sereno:events:1h")
    return bench.case(
        "traffic that has moved away is not usual any more",
        [_entries(bench, days), Series(last_hour, (*([None] * (5 * round(_DAY / MINUTE))), 12 * 300))],
        _expects(bench, 4, 200),
        _expects(bench, 5, 600),
    )


@dataclass(frozen=True, slots=True)
class _Midnight:
    """The events of the last five minutes and of the last hour: an hour before midnight, at midnight, an hour after."""

    five_minutes: tuple[float, float, float]
    hour: tuple[float, float, float]

    def then(self, five_minutes: float, hour: float) -> "_Midnight":
        """Another midnight; the hours around are as usual, so that nothing is missing on the next day."""
        before, _, after = range(3)
        return _Midnight(
            (self.five_minutes[before], five_minutes, self.five_minutes[after]),
            (self.hour[before], hour, self.hour[after]),
        )


def _always(five_minutes: float, hour: float) -> _Midnight:
    return _Midnight((five_minutes,) * 3, (hour,) * 3)


_LEAST = traffic.LEAST_USUAL_EVENTS
_BUSY, _QUIET, _TOO_QUIET = _always(100, 1200), _always(2, _LEAST), _always(2, _LEAST - 1)
_CAMPAIGN = _always(50 * 100, 50 * 1200)
_LATER = _Midnight((0, 100, 100), (0, 1200, 1200))
_USUALLY = {1: _BUSY, 2: _BUSY, 3: _BUSY, 4: _BUSY, 5: _LATER, 6: _QUIET, 7: _TOO_QUIET}
"""By the day of the week."""
_OTHERWISE = {
    # A week ago: outages and a campaign.
    16: _always(0, 0),
    18: _CAMPAIGN,
    20: _always(0, 0),
    21: _BUSY,
    22: _BUSY.then(4, 1200),
    23: _BUSY.then(0, 0),
    24: _CAMPAIGN.then(6, 100),
    26: _LATER.then(0, 0),
    27: _QUIET.then(0, 1),
    28: _TOO_QUIET.then(0, 0),
    29: _BUSY.then(0, 0),
}
_LAST_DAY = max(_OTHERWISE)


def _traffic(bench: Bench) -> Case:
    """Three weeks to compare with, and a week of other midnights. A second day without traffic fires (`for`)."""
    midnights = {day: _OTHERWISE.get(day, _USUALLY[(day - 1) % 7 + 1]) for day in range(1, _LAST_DAY + 1)}
    case = bench.case(
        "traffic that stays away is told, less of it or of little is not",
        [
            _hourly(bench, "5m", {day: midnight.five_minutes for day, midnight in midnights.items()}),
            _hourly(bench, "1h", {day: midnight.hour for day, midnight in midnights.items()}),
        ],
        *_drops(bench, 21, pending=None, firing=None),
        # Nothing comes for five minutes; nothing all hour, and an outage a week ago isn't what is usual.
        *_drops(bench, 22, pending=1, firing=None),
        *_drops(bench, 23, pending=None, firing=1),
        # A part is left; a campaign a week ago, and yesterday, isn't usual; what opens an hour later is no drop.
        *(each for day in (24, 25, 26) for each in _drops(bench, day, pending=None, firing=None)),
        # Thirty an hour are usual, but for an outage, and one came. Then 29, too few to tell. What was gone yesterday
        # isn't missed today.
        *_drops(bench, 27, pending=1, firing=None),
        *(each for day in (28, 29) for each in _drops(bench, day, pending=None, firing=None)),
    )
    return replace(case, scrape_interval=_HOUR)


def _hourly(bench: Bench, window: str, moments: Mapping[int, tuple[float, float, float]]) -> Series:
    values: list[float | None] = [None] * (_LAST_DAY * 24 + 2)
    for day, (before, at_midnight, after) in moments.items():
        values[day * 24 - 1 : day * 24 + 2] = before, at_midnight, after
    return Series(Ledger.of(bench.slo).series(f"sereno:events:{window}"), tuple(values))


def _drops(bench: Bench, day: int, **counts: int | None) -> Iterator[Expectation]:
    severity = str(bench.slo.alerting.traffic_drop)
    for state, count in counts.items():
        yield bench.alerts(_DAY * day, count=count, state=state, alertname=traffic.ALERT, severity=severity)
