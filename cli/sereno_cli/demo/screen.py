"""One readable screen: addresses, live budget, what to try."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sereno_cli.demo.budget import BudgetNow
from sereno_cli.demo.world import World

_LOW_BUDGET_RATIO = 0.25


def screen(world: World, budgets: Sequence[BudgetNow], problem: str = "") -> Group:
    """The whole picture."""
    parts: list[RenderableType] = [_addresses(world), budget_table(budgets), _to_try(world)]
    if problem:
        parts.insert(0, Panel(Text(problem, style="bold red"), title="trouble"))
    return Group(*parts)


def _addresses(world: World) -> Panel:
    addresses = world.addresses
    rows = (
        ("pages", addresses.url("portal")),
        *world.system_addresses(),
        ("Prometheus", addresses.url("prometheus")),
        ("Alertmanager", f"{addresses.url('alertmanager')}/api/v2/alerts"),
        ("incidents", f"{addresses.url('incidents')}/incidents"),
        ("log collector", f"{addresses.url('collector')}/metrics"),
        ("files", str(world.places.state)),
    )
    table = Table.grid(padding=(0, 2))
    for name, address in rows:
        table.add_row(name, Text(address, style="cyan"))
    return Panel(
        table,
        title="Sereno demo: all of it runs here",
        subtitle="the past before its start is simulated · Ctrl-C ends it",
        expand=False,
    )


def budget_table(budgets: Sequence[BudgetNow]) -> Table:
    """An SLO a line; those of several services below their service's name."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("error budget of", no_wrap=True)
    for heading in ("objective", "left", "burn 1h", "per min", "bad 5m"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("alerts", overflow="fold")  # the one that may take two lines: at 80 columns no figure is cut off
    has_several = len({budget.service for budget in budgets}) > 1
    for service, of_service in groupby(budgets, key=attrgetter("service")):
        if has_several:
            table.add_row(Text(service, style="bold"))
        for budget in of_service:
            table.add_row(*_figures(budget))
    return table


def _figures(budget: BudgetNow) -> tuple[RenderableType, ...]:
    return (
        budget.slo.removeprefix(f"{budget.service}/"),
        f"{budget.objective_percent:g} %",
        _remaining(budget.remaining_ratio),
        _shown(budget.burn_rate_1h, "{:.2f}"),
        _shown(budget.events_per_minute, "{:.0f}"),
        _shown(budget.bad_events_5m, "{:.0f}"),
        Text(", ".join(budget.firing), style="bold red") if budget.firing else Text("calm", style="green"),
    )


def _remaining(ratio: float | None) -> Text:
    if ratio is None:
        return Text("…")
    style = "red" if ratio < 0 else "yellow" if ratio < _LOW_BUDGET_RATIO else "green"
    return Text(f"{ratio:.2%}", style=style)


def _shown(value: float | None, form: str) -> str:
    return "…" if value is None else form.format(value)


def _to_try(world: World) -> Panel:
    scripts = world.places.scripts
    try:
        shown = scripts.relative_to(Path.cwd())
    except ValueError:
        shown = scripts
    rows = (
        ("break", f"{world.faults[0][1].on}: a page within two or three minutes"),
        ("mend", "the fault ends: the alert resolves within six minutes"),
        ("draft", "writes the postmortem draft of the latest incident"),
    )
    table = Table.grid(padding=(0, 2))
    for name, meaning in rows:
        table.add_row(Text(f"{shown}/{name}", style="cyan"), meaning)
    return Panel(table, title="try, in another terminal", expand=False)


def as_lines(budgets: Sequence[BudgetNow]) -> str:
    """The same figures for a log or a pipe, one line."""
    return " · ".join(
        f"{b.slo} {_remaining(b.remaining_ratio)} left"
        + (f", burning {b.burn_rate_1h:.1f}×" if b.burn_rate_1h is not None and b.burn_rate_1h >= 1 else "")  # noqa: RUF001
        + (f", FIRING {', '.join(b.firing)}" if b.firing else "")
        for b in budgets
    )


def console() -> Console:
    """Standard output."""
    return Console(highlight=False)
