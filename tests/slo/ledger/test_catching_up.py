"""Roll-ups after Prometheus was down: what promtool can't show, because it never misses an evaluation."""

import itertools

import numpy as np
import pytest
from sereno_slo.duration import Duration
from sereno_slo.model import (
    Alerting,
    AlertingMode,
    BadEventsRatio,
    Service,
    ServiceLevelObjective,
    Settings,
    Tier,
)
from sereno_slo.plan import RecordingRule, RuleGroup, plan_service
from sereno_slo.policy import WORKBOOK_TIERS
from sereno_slo.promql import Selector

from benchmarks.simulation import MINUTE, Series, Server, write

SLOT = 5 * MINUTE
# A whole slot, before the other tests' history, but not further than the head that they share reaches back.
BEGIN = 1_700_000_100_000
SLOTS_BEFORE = 8
_SERVICES = (f"caught-up-{number}" for number in itertools.count())


def _five_minute_group(service: str) -> RuleGroup:
    counter = Selector("calls_total").where(job=service)
    slo = ServiceLevelObjective(
        service,
        "calls",
        99.0,
        Duration.parse("30d"),
        Alerting(AlertingMode.BOTH, WORKBOOK_TIERS, 5, None),
        "team",
        Tier.CRITICAL,
        "",
        "x",
        BadEventsRatio(counter, counter.where(code="500")),
    )
    return plan_service(Service(service, "team", Tier.CRITICAL, (slo,), "x"), Settings()).groups[1]


def _expr(group: RuleGroup, name: str) -> str:
    (rule,) = (rule for rule in group.rules if isinstance(rule, RecordingRule) and rule.record == name)
    return str(rule.expr)


@pytest.mark.parametrize("phase_ms", [0, 1, 30_000, 149_999, 150_000, 299_999])
@pytest.mark.parametrize("missed", range(8))
def test_the_first_roll_up_after_missed_evaluations_sums_their_entries(
    engine: Server, missed: int, phase_ms: int
) -> None:
    """Up to five missed evaluations are caught up entry by entry, whatever the group's phase; later ones are lost.

    Only the group of five minutes has stopped: it is the worst case, because no entry is missing.
    """
    service = next(_SERVICES)
    labels = {"service": service, "slo": "calls"}
    marks = BEGIN + phase_ms + SLOT * np.arange(SLOTS_BEFORE, dtype=np.int64)
    now = int(marks[-1]) + SLOT * (missed + 1)
    entries = np.arange(BEGIN, now + 1, MINUTE, dtype=np.int64)
    counts = np.arange(len(entries), dtype=np.float64) ** 2  # no two sums of neighbours are the same
    # The mark of this evaluation stands before the roll-ups in its group.
    marked = np.append(marks, now)
    write(
        engine,
        [
            Series({"__name__": "sereno:events:delta1m", **labels}, entries, counts),
            Series({"__name__": "sereno:bad_events:delta1m", **labels}, entries, counts + 1),
            Series({"__name__": "sereno:coverage:delta1m", **labels}, entries, counts + 2),
            Series({"__name__": "sereno:ledger:evaluated5m", **labels}, marked, np.ones(len(marked))),
        ],
    )
    group = _five_minute_group(service)
    reach = min(missed + 1, 6) * SLOT
    until = now - MINUTE  # what is being entered meanwhile is left to the next one
    unsummed = counts[(entries > until - reach) & (entries <= until)]
    for name, more in (("events", 0), ("bad_events", 1), ("coverage", 2)):
        (found,) = engine.query(_expr(group, f"sereno:{name}:sum5m"), now)["result"]
        assert float(found["value"][1]) == (unsummed + more).sum(), name


def test_a_new_phase_counts_as_the_nearest_slot(engine: Server) -> None:
    """A changed rule file moves the group: evaluations 12 minutes apart are taken for ten, never for fifteen."""
    service = next(_SERVICES)
    labels = {"service": service, "slo": "calls"}
    last = BEGIN + 10 * SLOT
    now = last + 2 * SLOT + 2 * MINUTE
    entries = np.arange(BEGIN, now + 1, MINUTE, dtype=np.int64)
    write(
        engine,
        [
            Series({"__name__": "sereno:events:delta1m", **labels}, entries, np.ones(len(entries))),
            Series({"__name__": "sereno:ledger:evaluated5m", **labels}, np.array([last, now]), np.ones(2)),
        ],
    )
    (found,) = engine.query(_expr(_five_minute_group(service), "sereno:events:sum5m"), now)["result"]
    assert float(found["value"][1]) == 10
