"""What is measured: rules alone by both tools in turn, everything, and one change in a fleet that was compiled."""

import os
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.compile.fleet import change_one, write_fleet
from benchmarks.compile.measuring import Need, bytes_below, measured

SERENO = Path(sys.executable).with_name("sereno")
RULES, EVERYTHING, ONE_CHANGED, NOTHING_CHANGED = (
    "rules",
    "everything",
    "everything, one changed",
    "everything, none changed",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One tool's runs of one task on a fleet."""

    slos: int
    task: str
    tool: str
    needs: tuple[Need, ...]
    written_bytes: int

    @property
    def wall_seconds(self) -> float:
        """Of a usual run."""
        return statistics.median(need.wall_seconds for need in self.needs)

    @property
    def cpu_seconds(self) -> float:
        """Of a usual run, all processes together."""
        return statistics.median(need.cpu_seconds for need in self.needs)

    @property
    def peak_bytes(self) -> int:
        """Of the run that held most."""
        return max(need.peak_bytes for need in self.needs)


def trials(
    slos: int, runs: int, *, folder: Path, sloth: str | None, rules_only: bool, progress: Callable[[str], None]
) -> Iterator[Trial]:
    """All trials with so many SLOs, in an empty folder. What they write stays: deleting disturbs the next one.

    Raises:
        MeasuringError: one of the programs fails.
    """
    specs, peers = folder / "specs", folder / "sloth"
    write_fleet(slos, specs, peers)
    yield from _rules(slos, runs, folder, sloth, progress)
    if rules_only:
        return
    out = folder / "everything"
    command: list[str | Path] = [SERENO, "compile", specs, "--out", out]
    progress(f"{slos:,} SLOs: everything")
    yield Trial(slos, EVERYTHING, "sereno", (measured(command, folder),), bytes_below(out))
    progress(f"{slos:,} SLOs: one changed, none changed")
    changed, unchanged = [], []
    os.sync()  # else these runs share the disk with what the one before has left to write
    for run in range(runs):
        change_one(specs, 99.0 + (run + 1) / 100)
        changed.append(measured(command, folder))
        unchanged.append(measured(command, folder))
    yield Trial(slos, ONE_CHANGED, "sereno", tuple(changed), 0)
    yield Trial(slos, NOTHING_CHANGED, "sereno", tuple(unchanged), 0)


def _rules(slos: int, runs: int, folder: Path, sloth: str | None, progress: Callable[[str], None]) -> Iterator[Trial]:
    """In turn, so that what else the machine does disturbs both."""
    needs: dict[str, list[Need]] = {"sereno": [], "sloth": []}
    for run in range(runs):
        progress(f"{slos:,} SLOs: rules, run {run + 1} of {runs}")
        out = folder / f"rules-{run}"
        command: list[str | Path] = [SERENO, "compile", folder / "specs", "--out", out, "--only", "rules", "--no-cache"]
        needs["sereno"].append(measured(command, folder))
        if sloth is not None:
            theirs = folder / f"sloth-{run}"
            theirs.mkdir()
            needs["sloth"].append(measured([sloth, "generate", "-i", folder / "sloth", "-o", theirs], folder))
    yield Trial(slos, RULES, "sereno", tuple(needs["sereno"]), bytes_below(folder / "rules-0"))
    if sloth is not None:
        yield Trial(slos, RULES, "sloth", tuple(needs["sloth"]), bytes_below(folder / "sloth-0"))
