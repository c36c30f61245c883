"""What a plan says, sentence by sentence; text and Markdown only arrange it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sereno_slo.changes.comparing import Comparison, SloChange, Version
from sereno_slo.changes.consequences import Consequences
from sereno_slo.changes.cost import Linear
from sereno_slo.changes.inhibiting import InhibitionChange
from sereno_slo.changes.rules import Status
from sereno_slo.model import GoodEventsRatio, Journey, Latency, OtherAlert, ServiceLevelObjective

NOT_REPLAYED = "not replayed"
INHIBITION = (
    "Compile, and `sereno alertmanager generate` (or merge generated/inhibit_rules.yml into your own "
    "alertmanager.yml): until then the old rules hold."
)
NOTHING = "Nothing changes: both sides mean the same."
ASSUMPTIONS = (
    "Samples are those that evaluations read by Prometheus' own count, estimated from the rules alone (docs/plan.md), "
    "with scrapes every 30 s and while no alert fires."
)
_VERBS = {Status.ADDED: "is added", Status.REMOVED: "is removed", Status.CHANGED: "changes"}
_SIGNS = {Status.ADDED: "+", Status.REMOVED: "-", Status.CHANGED: "~"}
_COEFFICIENTS = (("per_total", "a series"), ("per_target", "a target"), ("per_group", "a group"))


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure before and after; None where a side has none."""

    before: str | None
    after: str | None

    def __str__(self) -> str:
        """`4 → 1`; the one that there is, or that both are."""
        if self.before is None or self.after is None or self.before == self.after:
            return self.after or self.before or "none"
        return f"{self.before} → {self.after}"


def headline(comparison: Comparison) -> str:
    """`1 SLO added, 2 changed, 5 unchanged; rules: 3 added, …; recorded series: 117 → 120`."""
    if comparison.is_empty:
        return NOTHING
    counts = [(comparison.count(status), str(status)) for status in (Status.ADDED, Status.REMOVED, Status.CHANGED)]
    told = [f"{count:,} {word}" for count, word in (*counts, (comparison.unchanged, "unchanged")) if count]
    first, *rest = told or ["none changed"]
    number, _, word = first.partition(" ")
    noun = "SLO or journey" if comparison.has_journeys else "SLO"
    plural = "SLOs and journeys" if comparison.has_journeys else "SLOs"
    slos = ", ".join([f"{number} {noun if number == '1' else plural} {word}", *rest])
    rules = [(sum(c.rules_of(status) for c in comparison.changes), str(status)) for status in Status]
    of_rules = ", ".join(f"{count:,} {word}" for count, word in rules if count) or "none"
    return f"{slos}; rules: {of_rules}; recorded series of these {plural}: {_sum_of_recorded(comparison)}"


def _sum_of_recorded(comparison: Comparison) -> str:
    before = sum((c.before.cost.recorded for c in comparison.changes if c.before), Linear())
    after = sum((c.after.cost.recorded for c in comparison.changes if c.after), Linear())
    return str(Pair(formula(before), formula(after)))


def title(change: SloChange) -> str:
    """`payments/availability changes`, `payments/pay, a journey, changes`."""
    return f"{change.name}{', a journey,' if change.is_journey else ''} {_VERBS[change.status]}"


def inhibition(change: InhibitionChange) -> str:
    """`+ while db/availability pages: burn alerts of shop/orders`, `…: pages of PostgreSQLDown{system="db"}`."""
    what = "pages of" if isinstance(change.silenced, OtherAlert) else "burn alerts of"
    return f"{_SIGNS[change.status]} while {change.paging} pages: {what} {change.silenced}"


def rules_in_short(change: SloChange) -> str:
    """`+2 -1 ~14`."""
    counts = ((_SIGNS[status], change.rules_of(status)) for status in Status)
    return " ".join(f"{sign}{count}" for sign, count in counts if count) or "none"


def rule_lines(change: SloChange) -> Iterator[str]:
    """One line for each rule that isn't what it was; of a whole SLO that comes or goes, for each alert."""
    is_whole = change.before is None or change.after is None
    for rule in change.rules:
        if is_whole and not rule.is_alert:
            continue
        parts = f": {', '.join(rule.parts)}" if rule.parts else ""
        yield f"{_SIGNS[rule.status]} {rule}{parts}"


def recorded(change: SloChange) -> Pair:
    """How many series the rules record."""
    return _of_cost(change, lambda version: version.cost.recorded)


def samples_read(change: SloChange) -> Pair:
    """How many samples they read in a minute."""
    return _of_cost(change, lambda version: version.cost.read)


def samples_written(change: SloChange) -> Pair:
    """How many samples they write in a minute."""
    return _of_cost(change, lambda version: version.cost.written)


def _of_cost(change: SloChange, part: Callable[[Version], Linear]) -> Pair:
    before, after = change.before, change.after
    return Pair(*(None if version is None else _number(version, part(version)) for version in (before, after)))


def _number(version: Version, linear: Linear) -> str:
    if version.counts is not None:
        return f"{linear.at(version.counts):,.0f}"
    return formula(linear, _part(version.slo))


def _part(slo: ServiceLevelObjective | Journey) -> str:
    """Which series beside those of the total are read; of some indicators, and of journeys, there are none."""
    match slo:
        case ServiceLevelObjective(indicator=GoodEventsRatio()):
            return "a good series"
        case ServiceLevelObjective(indicator=Latency()):
            return "a bucket"
        case _:
            return "a bad series"


def formula(linear: Linear, part: str = "") -> str:
    """`7,309 + 74 a series + 74 a bad series + 225 a target`."""
    parts = [f"{linear.fixed:,.0f}"]
    total, *others = _COEFFICIENTS
    for field, word in (total, ("per_part", part), *others):
        factor: float = getattr(linear, field)
        if factor:
            parts.append(f"{factor:,.0f} {word}")
    return " + ".join(parts)


def raw_series(change: SloChange) -> str:
    """What a server counted, for the costs' sake; empty where nobody asked."""
    version = change.after or change.before
    if version is None or version.counts is None:
        return ""
    if isinstance(version.slo, Journey):
        return "none, a journey reads what the rules of its steps record"
    counts = version.counts
    groups = f", {counts.groups:,} groups" if version.slo.group_by is not None else ""
    return f"{counts.total:,} series, {counts.part:,} of bad or good events, {counts.targets:,} targets{groups}"


def budget(change: SloChange) -> Pair:
    """What remains of it, in percent."""
    return _of_consequences(change, _remaining)


def pages(change: SloChange) -> Pair:
    """How many there would have been."""
    return _of_consequences(change, lambda consequences: _notices(consequences, consequences.pages))


def tickets(change: SloChange) -> Pair:
    """How many there would have been."""
    return _of_consequences(change, lambda consequences: _notices(consequences, consequences.tickets))


def days_replayed(comparison: Comparison) -> float | None:
    """Of how many days the consequences are; None where nobody replayed them."""
    versions = (version for change in comparison.changes for version in (change.before, change.after) if version)
    return max((version.consequences.days for version in versions if version.consequences), default=None)


def is_unknown(change: SloChange) -> bool:
    """Whether a server was asked, and neither version could be replayed."""
    versions = [version for version in (change.before, change.after) if version is not None]
    was_asked = any(version.counts is not None for version in versions)
    return was_asked and all(version.consequences is None for version in versions)


def coverage(change: SloChange) -> str:
    """A warning where the server's samples cover less than all of the days."""
    known = [v.consequences.coverage_ratio for v in (change.before, change.after) if v and v.consequences]
    return f"samples cover {min(known):.0%} of these days" if known and min(known) < _WHOLE else ""


_WHOLE = 0.995


def _notices(consequences: Consequences, count: int) -> str:
    """Without a single minute of samples nobody knows."""
    return f"{count:,}" if consequences.coverage_ratio > 0 else "unknown"


def _remaining(consequences: Consequences) -> str:
    ratio = consequences.remaining_ratio
    return "unknown" if ratio is None else f"{ratio * 100:.1f} %"


def _of_consequences(change: SloChange, part: Callable[[Consequences], str]) -> Pair:
    return Pair(*(None if version is None else _told(version, part) for version in (change.before, change.after)))


def _told(version: Version, part: Callable[[Consequences], str]) -> str:
    return NOT_REPLAYED if version.consequences is None else part(version.consequences)
