"""The trials as a table, and what of it must hold."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.compile.trials import ONE_CHANGED, RULES, Trial

MOST_BYTES = 250_000_000
MOST_SECONDS = {(1, RULES): 0.5, (1_000, ONE_CHANGED): 0.4}
"""SLOs and task to the longest time that people may wait."""
RACED_FROM_SLOS = 1_000
"""Below this both tools are done before anybody looks up, and the start of Python is what is measured."""


def print_trials(console: Console, trials: Sequence[Trial]) -> None:
    """One line for each."""
    table = Table(title="What compiling needs, all processes together")
    table.add_column("SLOs", justify="right")
    table.add_column("what is written")
    table.add_column("by")
    for title in ("seconds", "processor seconds", "memory, MB", "written, MB"):
        table.add_column(title, justify="right")
    previous = None
    for trial in trials:
        if previous not in {None, trial.slos}:
            table.add_section()
        previous = trial.slos
        table.add_row(
            f"{trial.slos:,}",
            trial.task,
            trial.tool,
            f"{trial.wall_seconds:.2f}",
            f"{trial.cpu_seconds:.2f}",
            f"{trial.peak_bytes / 1e6:.0f}",
            f"{trial.written_bytes / 1e6:.1f}" if trial.written_bytes else "-",
        )
    console.print(table)


def missed(trials: Sequence[Trial]) -> Iterator[str]:
    """Every requirement that doesn't hold."""
    theirs = {trial.slos: trial.wall_seconds for trial in trials if trial.tool == "sloth"}
    for trial in trials:
        if trial.tool != "sereno":
            continue
        what = f"{trial.slos:,} SLOs, {trial.task}"
        if trial.task == RULES and trial.slos >= RACED_FROM_SLOS and trial.wall_seconds > theirs.get(trial.slos, 1e9):
            yield f"{what}: {trial.wall_seconds:.2f} s, sloth takes {theirs[trial.slos]:.2f} s"
        most = MOST_SECONDS.get((trial.slos, trial.task))
        if most is not None and trial.wall_seconds > most:
            yield f"{what}: {trial.wall_seconds:.2f} s, must be {most} s at most"
        if trial.task == RULES and trial.peak_bytes > MOST_BYTES:
            yield f"{what}: {trial.peak_bytes / 1e6:.0f} MB, must be {MOST_BYTES / 1e6:.0f} MB at most"


def as_json(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Everything measured, as plain data."""
    return [asdict(trial) for trial in trials]
