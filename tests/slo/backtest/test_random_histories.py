"""Entries of random histories: what a backtest reads of raw series, against the ledger's reference in plain Python."""

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from sereno_backends.prometheus import PrometheusClient
from sereno_slo import Settings
from sereno_slo.backtest.arrays import Array
from sereno_slo.backtest.asking import Minutes
from sereno_slo.backtest.collecting import collected
from sereno_slo.history import Reader
from sereno_slo.model import BadEventsRatio, ServiceLevelObjective
from sereno_slo.promql import Selector
from support.ledger_reference import entry
from support.scrape_history import MINUTE_MS, MINUTES, History, histories, series_of, stored

from benchmarks.simulation import Server, write

BEGIN_MS = 1_750_000_020_000
_JOBS = (f"random-{number}" for number in itertools.count())

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@EXAMPLES
@given(histories(longest_gap_minutes=70))
def test_entries_are_those_of_the_reference(server: Server, slo: ServiceLevelObjective, history: History) -> None:
    """Restarts, failed scrapes, series that come and go, stops of Prometheus: value by value, minute by minute."""
    job = next(_JOBS)
    targets = tuple(stored(plan, history.outages, job=job, begin_ms=BEGIN_MS) for plan in history.targets)
    write(server, (series for target in targets for series in series_of(target)))
    total = Selector("calls_total").where(job=job)
    own = replace(slo, indicator=BadEventsRatio(total, total.where(code="500")))
    with PrometheusClient(server.url, timeout_seconds=60) as client:
        reader = Reader(client, lambda: None)
        found = collected(own, Settings(), reader, Minutes(BEGIN_MS, MINUTES), lambda _: None)
    stopped = [range(hole.begin, hole.begin + hole.length) for hole in history.outages]
    for minute in (minute for minute in range(MINUTES) if not any(minute in hole for hole in stopped)):
        events, bad_events = (
            entry(targets, codes, BEGIN_MS + minute * MINUTE_MS) for codes in (("200", "500"), ("500",))
        )
        assert _value(found.events, minute) == events, minute
        assert _value(found.bad_events, minute) == (0 if bad_events is None and events is not None else bad_events)


def _value(values: Array, minute: int) -> float | None:
    return None if np.isnan(values[minute]) else float(values[minute])
