"""What `sereno backfill` shows: progress, the table, and what to do next."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sereno_slo.history import AccountRepair, Span


@contextmanager
def progress(count: int) -> Iterator[tuple[Callable[[str], None], Callable[[], None]]]:
    """Show on a terminal which SLO is read, and that answers come in."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    questions = (TextColumn("{task.fields[questions]} questions"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, *questions, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=count, questions=0)
        begun, asked = 0, 0

        def begin(name: str) -> None:
            nonlocal begun
            bar.update(task, description=name, completed=begun)
            begun += 1

        def ask() -> None:
            nonlocal asked
            asked += 1
            bar.update(task, questions=asked)

        yield begin, ask


def unknown_minutes(repairs: "Sequence[AccountRepair]") -> str:
    """How many minutes stay without an entry, if any."""
    unknown = sum(repair.minutes_unknown for repair in repairs)
    return f"; {unknown} minutes stay unknown: there are no raw samples" if unknown else ""


def next_steps(folder: Path, span: "Span", *, is_read: bool) -> str:
    """What to do with the blocks, and what can be repaired later."""
    end = f"{datetime.fromtimestamp(span.end_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    move = (
        "Prometheus takes them in within a minute or two"
        if is_read
        else f"Next: mv {folder}/* into Prometheus' data folder (--storage.tsdb.path), owned by its user; "
        "it takes them in within a minute or two, without a restart"
    )
    return f"{move}; budgets follow within five minutes.\nWhat is newer than {end} can be repaired later."


def print_table(repairs: "Sequence[AccountRepair]") -> None:
    """One row for each ledger."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("SLO", overflow="fold")
    for heading in ("missing", "recomputed", "unknown", "gaps", "events", "bad events", "samples"):
        table.add_column(heading, justify="right")
    for repair in repairs:
        ledger = repair.ledger
        by = f" by {', '.join(ledger.group_labels)}" if ledger.group_labels else ""
        minutes = (repair.minutes_missing, repair.minutes_recomputed, repair.minutes_unknown, repair.gaps_caught_up)
        counts = (f"{repair.events:,.0f}", f"{repair.bad_events:,.0f}", f"{repair.samples:,}")
        table.add_row(f"{ledger.service}/{ledger.slo}{by}", *(f"{count:,}" for count in minutes), *counts)
    # In a file or a pipe nothing is cut at 80 columns.
    Console(width=None if sys.stdout.isatty() else 140).print(table)
