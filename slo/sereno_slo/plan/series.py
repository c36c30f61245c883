"""The names of everything that is recorded, and how one SLO's series are selected; nobody else spells them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sereno_slo.conventions import LONGEST_SUM_OF_MINUTES
from sereno_slo.duration import Duration
from sereno_slo.model import GroupBy, Objective
from sereno_slo.plan.rules import RecordingRule
from sereno_slo.promql import Call, Expr, Matcher, Selector, String, any_of

# What is always recorded, whatever the policy: dashboards, runbooks and drafts read it. Windows up to six hours
# (LONGEST_SUM_OF_MINUTES) sum minute entries, longer ones sum five-minute roll-ups.
MINUTE_WINDOWS = tuple(map(Duration.parse, ("5m", "30m", "1h", "2h", "6h")))
ROLL_UP_WINDOWS = tuple(map(Duration.parse, ("1d", "3d")))

EVENTS_ENTRY = "sereno:events:delta1m"
BAD_EVENTS_ENTRY = "sereno:bad_events:delta1m"
COVERAGE_ENTRY = "sereno:coverage:delta1m"
EVENTS_MISSED = "sereno:events:missed1m"
BAD_EVENTS_MISSED = "sereno:bad_events:missed1m"
EVENTS_ROLL_UP = "sereno:events:sum5m"
BAD_EVENTS_ROLL_UP = "sereno:bad_events:sum5m"
COVERAGE_ROLL_UP = "sereno:coverage:sum5m"
ROLL_UP_MARK = "sereno:ledger:evaluated5m"
GROUP_ADMITTED = "sereno:group_admitted:bool"
GROUPS_LEFT_OUT = "sereno:groups_left_out:count"
EXPECTED_EVENTS = "sereno:events:expected5m"
SAME_HOUR = "sereno:events:same_hour"
EXHAUSTED_IN = "sereno:error_budget_exhausted_in:seconds"
BUDGET_REMAINING = "sereno:error_budget_remaining:ratio"
COVERAGE = "sereno:coverage:ratio"
EXCLUDED = "sereno:excluded:bool"
WINDOW_START = "sereno:window_start:timestamp_seconds"
WINDOW_END = "sereno:window_end:timestamp_seconds"
# What the clock on the wall of a calendar window's time zone shows: now, when the window began, when it ends.
WALL_CLOCK = "sereno:wall_clock:seconds"
WALL_AT_START = "sereno:window_start:wall_clock_seconds"
WALL_AT_END = "sereno:window_end:wall_clock_seconds"
EVENTS_PLANNED = "sereno:events:planned"
INFO = "sereno_slo_info"
DEPLOYED = "sereno_dora_deployed_timestamp_seconds"
"""Not recorded: the exporter `dora` serves it, where there is one."""
OBJECTIVE = "sereno_slo_objective_ratio"
WINDOW = "sereno_slo_window_seconds"

SLO_LABELS = ("service", "slo")
MISSED_LABELS = (*SLO_LABELS, "after")
"""What is missed carries a label more, `after="outage"`: an entry and what it lacks are summed as two series."""

# What is recorded every five minutes disappears from instant look-ups when one evaluation is late (the look-back is
# five minutes): alerts read it through ten minutes.
_PATIENCE = Duration.parse("10m")


@dataclass(frozen=True, slots=True)
class Ledger:
    """The recorded series of one SLO: of the whole, or of its groups under names of their own.

    One name for both would collide: a series of the whole lacks the groups' labels only.
    """

    service: str
    slo: str
    group_labels: tuple[str, ...] = ()
    group: tuple[Matcher, ...] = ()
    """Of one group only."""

    @classmethod
    def of(cls, slo: Objective) -> "Ledger":
        """The ledger that belongs to this SLO."""
        return cls(slo.service, slo.name)

    @classmethod
    def of_groups(cls, slo: Objective, group_by: GroupBy) -> "Ledger":
        """The ledgers of its groups."""
        return cls(slo.service, slo.name, group_by.labels)

    @property
    def whole(self) -> "Ledger":
        """The ledger of the SLO itself, not of its groups."""
        return Ledger(self.service, self.slo)

    def formerly(self, slo: Objective) -> "tuple[Ledger, ...]":
        """The ledgers under the names that the SLO had before."""
        return tuple(replace(self, service=service, slo=name) for service, name in slo.formerly)

    @property
    def labels(self) -> dict[str, str]:
        """What every recorded series of this SLO carries."""
        return {"service": self.service, "slo": self.slo}

    def series(self, name: str) -> Selector:
        """The series `name` of this SLO; `sereno:events:1h` is `sereno:group_events:1h` for groups."""
        own = name.replace("sereno:", "sereno:group_", 1) if self.group_labels else name
        return Selector(own).where(*self.group, **self.labels)

    def record(self, name: str, expr: Expr) -> RecordingRule:
        """The rule that records `expr` as the series `name`."""
        return RecordingRule(self.series(name).metric, expr, self.labels)

    def figure(self, subject: str, window: Duration) -> Expr:
        """`sereno:events:1h` and the like, ready for an alert's expression."""
        series = self.series(f"sereno:{subject}:{window}")
        return series if window <= LONGEST_SUM_OF_MINUTES else patient(series)

    def events(self, window: Duration) -> Expr:
        """How many events the window had."""
        return self.figure("events", window)

    def bad_events(self, window: Duration) -> Expr:
        """How many of them were bad."""
        return self.figure("bad_events", window)

    def expected_events(self) -> Expr:
        """`A` of docs/ledger.md: the usual events per five minutes."""
        return patient(self.series(EXPECTED_EVENTS))


def windows_of(slo: Objective) -> tuple[Duration, ...]:
    """Every window that is recorded besides the SLO's own: the usual ones and those of its policy, in order."""
    of_policy = (window for tier in slo.alerting.tiers for window in (tier.long, tier.short) if window < slo.window)
    return tuple(sorted({*MINUTE_WINDOWS, *ROLL_UP_WINDOWS, *of_policy}))


def summed(entries: Selector, window: Duration) -> Call:
    """The sum of a window's entries, by a range that holds the same ones on every Prometheus."""
    return Call("sum_over_time", (entries.over(window.just_under()),))


def patient(series: Selector) -> Call:
    """The latest value of a series that is recorded every five minutes."""
    return Call("last_over_time", (series.over(_PATIENCE),))


def side_by_side(exprs: Mapping[str, Expr], label: str) -> Expr:
    """Values of one series as several, told apart by `label`: `or` alone would keep the first of them only."""
    named = (
        Call("label_replace", (expr, String(label), String(name), String(""), String("")))
        for name, expr in exprs.items()
    )
    return any_of(*named)
