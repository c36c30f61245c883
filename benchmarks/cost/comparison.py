"""One SLO of each kind, by Sereno and its peers, at several sizes, on a server that holds the data."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cost.measuring import Cost, Stage, measure, raw_history_ms, write_raw_history
from benchmarks.cost.peers import (
    PeerError,
    pyrra_documented,
    pyrra_performance_mode,
    sloth_documented,
    sloth_generated,
)
from benchmarks.cost.raw import Kind, Size, raw_series
from benchmarks.cost.rulesets import RuleSet
from benchmarks.cost.specs import SpecError, sereno_rules
from benchmarks.simulation import MINUTE, running_prometheus

END_MS = 29_166_670 * MINUTE
"""A fixed instant on a border of five minutes, in June 2025: all groups are evaluated at it."""
AT_MOST_RAW_SAMPLES = 50_000_000
"""More isn't written: rules that read a longer raw history are counted instead."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Contest:
    """What each tool's rules of one SLO cost. Sereno is the first, sloth the second."""

    kind: Kind
    size: Size
    costs: tuple[Cost, ...]

    @property
    def sereno(self) -> Cost:
        """Ours."""
        return self.costs[0]

    @property
    def ratio(self) -> float:
        """How many samples sloth reads where Sereno reads one."""
        return self.costs[1].samples_per_minute / self.sereno.samples_per_minute


@dataclass(frozen=True, slots=True)
class Skipped:
    """A kind that this version doesn't compile, and the compiler's words."""

    kind: Kind
    reason: str


def rule_sets(kind: Kind, folder: Path, sloth: str | None) -> tuple[RuleSet, ...]:
    """Everybody's rules for one SLO of this kind; sloth's own if there is a program, else the documented ones.

    Raises:
        PeerError: the program of a peer is missing or fails.
        SpecError: this version of Sereno can't compile the kind.
    """
    program = shutil.which(sloth or "sloth")
    if sloth and not program:
        raise PeerError(f"there is no program {sloth}")
    theirs = sloth_generated(kind, program, folder) if program else sloth_documented(kind)
    return sereno_rules(kind), theirs, pyrra_documented(kind), pyrra_performance_mode(kind)


def compare(
    sizes: Iterable[Size],
    kinds: Iterable[Kind],
    *,
    prometheus: str | None,
    sloth: str | None,
    progress: Progress,
) -> tuple[list[Contest], list[Skipped]]:
    """Measure all kinds at all sizes, each size on a Prometheus of its own.

    Raises:
        MeasuringError: a tool's rules don't work on the data.
        PeerError: the program of a peer is missing or fails.
        ServerError: there is no Prometheus, or it refuses a rule.
    """
    with tempfile.TemporaryDirectory(prefix="sereno-cost-") as name:
        folder = Path(name)
        contestants, skipped = _contestants(kinds, folder, sloth)
        contests = [
            contest
            for size in sizes
            for contest in _contests(size, contestants, folder / str(size.raw_series), prometheus, progress)
        ]
    return contests, skipped


def _contestants(
    kinds: Iterable[Kind], folder: Path, sloth: str | None
) -> tuple[dict[Kind, tuple[RuleSet, ...]], list[Skipped]]:
    contestants = {}
    skipped = []
    for kind in kinds:
        try:
            contestants[kind] = rule_sets(kind, folder, sloth)
        except SpecError as error:
            skipped.append(Skipped(kind, str(error)))
    return contestants, skipped


def _contests(
    size: Size,
    contestants: dict[Kind, tuple[RuleSet, ...]],
    folder: Path,
    prometheus: str | None,
    progress: Progress,
) -> Sequence[Contest]:
    with running_prometheus(folder, program=prometheus) as server:
        raw = tuple(raw_series(size, END_MS))
        everybody = [rules for sets in contestants.values() for rules in sets]
        history_ms = raw_history_ms(everybody, raw, at_most_samples=AT_MOST_RAW_SAMPLES)
        stage = Stage(server, raw, END_MS, history_ms)
        progress(f"{size.raw_series} raw series: writing {history_ms / (24 * 60 * MINUTE):.1f} days of scrapes")
        progress(f"{size.raw_series} raw series: {write_raw_history(stage):,} samples written")
        contests = []
        for kind, sets in contestants.items():
            costs = []
            for rules in sets:
                progress(f"{size.raw_series} raw series: {kind}, {rules.tool}")
                costs.append(measure(stage, rules))
            contests.append(Contest(kind, size, tuple(costs)))
        return contests
