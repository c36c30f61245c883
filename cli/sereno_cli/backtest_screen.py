"""What `sereno backtest` shows: progress, and the tables of a terminal."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from sereno_slo.backtest import Backtest
    from sereno_slo.backtest.notices import Notice
    from sereno_slo.backtest.replaying import Outcome

_MOST_NOTICES = 60
"""More lines than anybody reads; JSON and HTML have all."""


@contextmanager
def progress() -> Iterator[tuple[Callable[[str], None], Callable[[float], None], Callable[[], None]]]:
    """Show on a terminal which SLO is read, which part of its past, and how many answers came in."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    questions = (TextColumn("{task.fields[questions]} questions"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, *questions, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=1.0, questions=0)
        asked = 0

        def begin(name: str) -> None:
            bar.update(task, description=name, completed=0)

        def advance(part: float) -> None:
            bar.update(task, completed=part)

        def ask() -> None:
            nonlocal asked
            asked += 1
            bar.update(task, questions=asked)

        yield begin, advance, ask


def print_backtests(backtests: "Sequence[Backtest]") -> None:
    """Everything about each of them."""
    from rich.console import Console

    # In a file or a pipe nothing is cut at 80 columns.
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False, markup=False)
    for place, one in enumerate(backtests):
        if place:
            console.print()
        _print_backtest(console, one)


def _print_backtest(console: "Console", one: "Backtest") -> None:
    from sereno_slo.backtest import wording

    console.print(wording.heading(one), style="bold")
    console.print(wording.summary(one), soft_wrap=True)
    for sentence in wording.caveats(one):
        console.print(f"- {sentence}", soft_wrap=True)
    if one.attained_ratio is None:
        return  # no page of a past without events is no calm
    _print_notices(console, one.outcome.notices)
    _print_objectives(console, one)
    _print_policies(console, one.policies)
    _print_incidents(console, one)


def _print_notices(console: "Console", notices: "Sequence[Notice]") -> None:
    from rich.table import Table
    from sereno_slo.backtest import wording
    from sereno_slo.backtest.asking import written

    if not notices:
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("from (UTC)", "what", "alerts"):
        table.add_column(heading, overflow="fold")
    for heading in ("lasted", "peak burn", "events", "bad", "budget spent"):
        table.add_column(heading, justify="right")
    for notice in notices[:_MOST_NOTICES]:
        table.add_row(
            written(notice.begin_ms).removesuffix(" UTC"),
            str(notice.kind),
            wording.names(notice),
            wording.minutes(notice.minutes) + (", still" if notice.is_open else ""),
            wording.rate(notice.peak_burn_rate),
            wording.count(notice.events),
            wording.count(notice.bad_events),
            wording.percent(notice.budget_spent_ratio),
        )
    console.print()
    console.print(table)
    if len(notices) > _MOST_NOTICES:
        console.print(f"and {len(notices) - _MOST_NOTICES} more (--format json or --html FILE has all)")


def _print_objectives(console: "Console", one: "Backtest") -> None:
    from rich.table import Table
    from sereno_slo.backtest import wording

    table = Table(box=None, pad_edge=False)
    for heading in ("objective", "attained", "budget left", "at least", "pages", "tickets"):
        table.add_column(heading, justify="right")
    for outcome in one.what_if:
        own = " (now)" if outcome.objective_percent == one.slo.objective_percent else ""
        table.add_row(
            f"{outcome.name} %{own}",
            wording.attained(one.attained_ratio),
            wording.percent(outcome.budget_remaining_ratio),
            wording.percent(outcome.lowest_budget_remaining_ratio),
            f"{outcome.pages}",
            f"{outcome.tickets}",
        )
    console.print()
    console.print(table)
    console.print(wording.suggestion(one), soft_wrap=True)


def _print_policies(console: "Console", policies: "Sequence[Outcome]") -> None:
    from rich.table import Table
    from sereno_slo.backtest import wording

    is_judged = policies[0].judged is not None
    table = Table(box=None, pad_edge=False)
    table.add_column("policy")
    for heading in ("objective", "pages", "tickets"):
        table.add_column(heading, justify="right")
    for heading in ("precision", "recall", "found after", "at worst") if is_judged else ():
        table.add_column(heading, justify="right")
    for outcome in policies:
        judged = outcome.judged
        figures = [f"{outcome.objective_percent:g} %", f"{outcome.pages}", f"{outcome.tickets}"]
        if judged is not None:
            figures += [wording.percent(judged.precision), wording.percent(judged.recall)]
            figures += [
                wording.minutes(judged.detection_median_minutes),
                wording.minutes(judged.detection_worst_minutes),
            ]
        table.add_row(outcome.name, *figures)
    console.print()
    console.print(table)


def _print_incidents(console: "Console", one: "Backtest") -> None:
    from sereno_slo.backtest import wording
    from sereno_slo.backtest.asking import written

    judged = one.outcome.judged
    if judged is None:
        return
    console.print()
    for incident in judged.missed:
        note = f" ({incident.note})" if incident.note else ""
        console.print(f"No page: incident {written(incident.begin_ms)} to {written(incident.end_ms)}{note}")
    for page in judged.unmatched:
        console.print(f"Page of no incident: {written(page.begin_ms)}, {wording.names(page)}")
