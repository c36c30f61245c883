"""Services with a past that is known to the last event, and ledgers that miss parts of it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sereno_backends.prometheus import StoredSeries

from support.past import (
    FIVE_MINUTES_MS,
    MINUTE_MS,
    Points,
    RecordedLedger,
    Story,
    Target,
    Truth,
    recorded_ledger,
    told,
)

HOUR_MS = 60 * MINUTE_MS
END_MS = int(time.time() * 1000) // HOUR_MS * HOUR_MS - 4 * HOUR_MS
HOURS = 50
BEGIN_MS = END_MS - HOURS * HOUR_MS
MINUTE_PHASE_MS = 23_456
FIVE_MINUTES_PHASE_MS = 113_789
LATER = 0.51
"""Hours after the first target's restart that the second restarts."""


def hour(number: float) -> int:
    """A moment of the past that all tests share."""
    return BEGIN_MS + round(number * HOUR_MS)


def within(moment: int, begin: float, end: float) -> bool:
    """Whether a moment lies in these hours."""
    return hour(begin) < moment <= hour(end)


@dataclass(frozen=True)
class Case:
    """One service, what it really did, and what its ledger held before the repair."""

    name: str
    targets: list[Target]
    truths: list[Truth]
    """Of each target."""
    ledger: RecordedLedger
    missed: dict[str, Points] = field(default_factory=dict)
    """What the rules have told themselves of minutes that they missed."""

    def real(self, codes: tuple[str, ...], until_ms: int) -> int:
        """How many events of these codes there really were."""
        return sum(
            happened[code] for truth in self.truths for at_ms, happened in truth if at_ms <= until_ms for code in codes
        )

    def series(self) -> Iterator[StoredSeries]:
        """All that is stored before the repair."""
        for target in self.targets:
            yield from target.series()
        yield from self.ledger.series(self.name, "calls")
        for kind, points in self.missed.items():
            labels = {"service": self.name, "slo": "calls", "after": "outage"}
            yield StoredSeries(f"sereno:{kind}:missed1m", labels, tuple(points.items()))


def case(
    name: str,
    *,
    hole: tuple[float, float] = (0, 0),
    lost_minutes: tuple[float, ...] = (),
    lost_roll_ups: tuple[float, float] = (0, 0),
    failed: tuple[range, ...] = (),
    all_fail: bool = True,
    restarts: tuple[float, ...] = (),
    has_ledger: bool = True,
) -> Case:
    """A service with two targets; hours are those of the common past."""
    both = [
        told(
            Story(
                name,
                instance,
                BEGIN_MS,
                END_MS,
                phase_ms=phase_ms,
                restarts_ms=tuple(hour(restart + index * LATER) for restart in restarts),
                failed_ms=failed if all_fail or index == 0 else (),
                errors_from_ms=hour(3.3),
            )
        )
        for index, (instance, phase_ms) in enumerate((("a", 7_123), ("b", 21_001)))
    ]
    targets = [target for target, _ in both]
    lost = {round(hour(at) / MINUTE_MS) for at in lost_minutes}
    ledger = recorded_ledger(
        targets,
        range(hour(2) + MINUTE_PHASE_MS, END_MS, MINUTE_MS) if has_ledger else (),
        range(hour(2) + FIVE_MINUTES_PHASE_MS, END_MS, FIVE_MINUTES_MS) if has_ledger else (),
        was_evaluated=lambda at: not within(at, *hole) and at // MINUTE_MS not in lost,
        was_rolled_up=lambda at: not within(at, *hole) and not within(at, *lost_roll_ups),
    )
    return Case(name, targets, [truth for _, truth in both], ledger)


def caught_up_by_rules(made: Case, after_ms: int, first_ms: int) -> Case:
    """Let the first evaluation after a hole tell what happened in it, as rules do after a stop of Prometheus."""
    missed: dict[str, Points] = {}
    for kind, codes in (("events", ("200", "500")), ("bad_events", ("500",))):
        told_ = float(made.real(codes, first_ms - MINUTE_MS) - made.real(codes, after_ms))
        missed[kind] = {first_ms: told_}
        roll_ups = dict(made.ledger.roll_ups[f"sereno:{kind}:sum5m"])
        roll_ups[min(at_ms for at_ms in roll_ups if at_ms >= first_ms + MINUTE_MS)] += told_
        made = replace(
            made, ledger=replace(made.ledger, roll_ups={**made.ledger.roll_ups, f"sereno:{kind}:sum5m": roll_ups})
        )
    return replace(made, missed=missed)


def outage() -> Case:
    """Ten minutes without evaluations, which the rules have caught up."""
    made = case("outage", hole=(33.0, 33.17))
    entries = made.ledger.entries["sereno:events:delta1m"]
    before = max(at_ms for at_ms in entries if at_ms <= hour(33.0))
    return caught_up_by_rules(made, before, min(at_ms for at_ms in entries if at_ms > before))


CASES = {
    made.name: made
    for made in (
        outage(),
        case("newcomer", restarts=(11.2, 29.7), has_ledger=False),
        case("hole", hole=(20.03, 23.07), lost_minutes=(30.5, 31.2, 31.3), restarts=(21.4,)),
        case("gap", failed=(range(hour(24.01), hour(26.02)),), lost_roll_ups=(40.0, 40.3)),
        case("partial", failed=(range(hour(24.01), hour(26.02)),), all_fail=False),
        case("restarted", failed=(range(hour(24.01), hour(26.02)),), restarts=(23.98, 25.2)),
        case("whole"),
    )
}
