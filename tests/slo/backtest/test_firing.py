"""Time without entries: idle is no traffic, and a server that stands still is nothing at all."""

import numpy as np
from sereno_slo import Settings
from sereno_slo.backtest.entries import Cause, Entries
from sereno_slo.backtest.firing import replayed
from sereno_slo.model import ServiceLevelObjective
from sereno_slo.plan import series

_DAY = 1440


def test_idle_days_are_days_without_events_and_stops_are_no_days(slo: ServiceLevelObjective) -> None:
    """Five minutes without an entry are a roll-up of zero where rules were evaluated, and none where they weren't."""
    minutes = 8 * _DAY
    events = np.full(minutes, 10.0)
    idle, stopped = slice(2 * _DAY, 4 * _DAY), slice(5 * _DAY, 5 * _DAY + 600)
    events[idle] = events[stopped] = np.nan
    evaluated = np.ones(minutes, dtype=np.bool_)
    evaluated[stopped] = False
    targets = np.where(np.isnan(events), np.nan, 1.0)
    no_data = np.full(minutes, np.nan)
    entries = Entries(0, events, 0 * events, targets, (no_data, no_data), targets, targets, evaluated)
    recorded = replayed(slo, Settings(), entries).samples.series
    a_day = recorded["sereno:events:1d"]
    assert a_day[4 * _DAY] == 0
    assert np.isnan(recorded[series.EVENTS_ROLL_UP][5 * _DAY + 100])
    assert recorded[series.EVENTS_ROLL_UP][3 * _DAY] == 0
    assert [hole.cause for hole in entries.holes(0)] == [Cause.NO_TARGETS, Cause.NOTHING_SCRAPED]
