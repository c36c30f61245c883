"""Entries of every kind of indicator are what the server says of the ledger's own expressions."""

from dataclasses import replace

import numpy as np
import pytest
from sereno_backends.prometheus import PrometheusClient
from sereno_slo import Settings
from sereno_slo.backtest.asking import HistoryNotRead, Minutes
from sereno_slo.backtest.collecting import collected
from sereno_slo.duration import Duration
from sereno_slo.history import Reader
from sereno_slo.history.expressions import entry_expressions
from sereno_slo.model import (
    BadEventsRatio,
    GoodEventsRatio,
    Indicator,
    Latency,
    Probe,
    ServiceLevelObjective,
    Threshold,
)
from sereno_slo.plan import series
from sereno_slo.plan.series import Ledger
from sereno_slo.promql import Selector
from slo.backtest.conftest import PAST
from support.proxy import Asked, Refusal, proxy_before

from benchmarks.simulation import HOUR, MINUTE, Server

_TOTAL = Selector("orders_total").where(job="shop")
_UP = Selector("up").where(job="shop")
_KINDS: dict[str, tuple[Indicator, Settings]] = {
    "bad": (BadEventsRatio(_TOTAL, _TOTAL.where(code="500")), Settings()),
    "good": (GoodEventsRatio(_TOTAL, _TOTAL.where(code="200")), Settings()),
    "latency": (Latency(_TOTAL, _TOTAL.where(code="200"), "orders", 0.3), Settings()),
    "threshold": (Threshold(_UP, 1, None), Settings()),
    "probe": (Probe(_UP), Settings()),
    "late samples": (
        BadEventsRatio(_TOTAL, _TOTAL.where(code="500")),
        Settings(evaluation_delay=Duration.parse("1m45s")),
    ),
    "no process starts": (BadEventsRatio(_TOTAL, _TOTAL.where(code="500")), Settings(process_start_metric=None)),
}
_RESTART_MS = PAST.end_ms - PAST.restart_before_end_ms
_MINUTES = Minutes((_RESTART_MS - 40 * MINUTE) // MINUTE * MINUTE, 120)


@pytest.mark.parametrize("kind", _KINDS)
def test_entries_are_what_the_server_says(kind: str, server: Server, slo: ServiceLevelObjective) -> None:
    """Around a restart: computed here from a grid, or there by the expression itself, it is the same."""
    indicator, settings = _KINDS[kind]
    own = replace(slo, indicator=indicator)
    with PrometheusClient(server.url, timeout_seconds=60) as client:
        reader = Reader(client, lambda: None)
        found = collected(own, settings, reader, _MINUTES, lambda _: None)
        moments = [_MINUTES.first_ms + place * MINUTE for place in range(_MINUTES.count)]
        asked = entry_expressions(own, Ledger.of(own), settings)
        for name, mine in (
            (series.EVENTS_ENTRY, found.events),
            (series.BAD_EVENTS_ENTRY, found.bad_events),
            (series.COVERAGE_ENTRY, found.coverage),
        ):
            theirs = reader.evaluated(asked[name], moments).get((), {})
            expected = [theirs.get(moment, np.nan) for moment in moments]
            assert np.allclose(mine, expected, rtol=1e-9, equal_nan=True), name
    assert np.nansum(found.events) > 100


def test_a_stretch_that_fails_twice_is_named(server: Server, slo: ServiceLevelObjective) -> None:
    """One failure is asked again, two in a row end the reading: no hole in the middle is taken for silence."""
    minutes = Minutes(PAST.end_ms - 8 * HOUR, 60)
    refused: list[Asked] = []

    def refuse(times: int) -> None:
        refused.clear()

        def answer(asked: Asked) -> Refusal | None:
            if b"orders_total" in asked.body and len(refused) < times:
                refused.append(asked)
                return Refusal(503, b"busy")
            return None

        proxy.refuse = answer

    with proxy_before(server.url) as proxy, PrometheusClient(proxy.url, timeout_seconds=60) as client:
        reader = Reader(client, lambda: None)
        refuse(1)
        found = collected(slo, Settings(), reader, minutes, lambda _: None)
        assert len(refused) == 1
        assert not np.isnan(found.events).any()
        refuse(1_000_000)
        with pytest.raises(HistoryNotRead, match=r"from 2025-01-\d+ \d\d:\d\d UTC to .* in two tries: .*503"):
            collected(slo, Settings(), reader, minutes, lambda _: None)
