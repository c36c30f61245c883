"""Requests broken at each stage, by each instrumentation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.telemetry.environment import Environment
from benchmarks.telemetry.faults.child import Broken
from benchmarks.telemetry.faults.stages import STAGES
from benchmarks.telemetry.instruments import BARE, FLOOR, SERENO
from benchmarks.telemetry.workers import Worker


@dataclass(frozen=True, slots=True)
class Row:
    """One stage, and what became of the requests."""

    stage: str
    broken: Mapping[str, Broken]


def break_all(environment: Environment, progress: Callable[[str], None]) -> list[Row]:
    """Every stage with every instrumentation that is there."""
    found: dict[str, dict[str, Broken]] = {stage: {} for stage in STAGES}
    for instrument in environment.instruments:
        if instrument in {BARE, FLOOR}:
            continue
        progress(f"{instrument}: {len(STAGES)} stages")
        with Worker(environment, "faults", instrument=instrument) as worker:
            for stage in STAGES:
                found[stage][instrument] = Broken(**worker.ask(stage=stage))
    return [Row(stage, broken) for stage, broken in found.items()]


def print_table(console: Console, rows: Sequence[Row]) -> None:
    """Broken requests of those sent; a dash where the stage is never called."""
    table = Table(title="Requests that were answered otherwise than by the bare app, of those sent")
    table.add_column("what raises")
    names = list(rows[0].broken)
    for name in names:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(row.stage, *(cell(one) for one in row.broken.values()))
    table.add_section()
    table.add_row("all", *(str(sum(row.broken[name].broken for row in rows)) for name in names))
    console.print(table)
    for name in names:
        examples = [f"{row.stage}, {row.broken[name].example}" for row in rows if row.broken[name].broken]
        if examples:
            console.print(f"{name}: {examples[0]}", markup=False)


def cell(one: Broken) -> str:
    """The figure of one stage and instrumentation."""
    return f"{one.broken}/{one.requests}" if one.hits else "-"


def missed(rows: Sequence[Row]) -> Iterator[str]:
    """Every stage that breaks a request watched by Sereno."""
    for row in rows:
        one = row.broken[SERENO]
        if one.broken:
            yield f"{row.stage}: {one.broken} of {one.requests} requests, {one.example}"
    if rows and not any(row.broken[SERENO].hits for row in rows):
        yield "no stage was called at all: nothing was shown"


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Everything that was found, as plain data."""
    return [{"stage": row.stage, "instrument": name, **asdict(one)} for row in rows for name, one in row.broken.items()]
