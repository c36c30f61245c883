"""The run as tables: what was done to each process, and what became of everything that was emitted."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.chaos.budgets import Budget
from benchmarks.chaos.plan import PARTS, Kind
from benchmarks.chaos.running import Report

_SHOWN = 10


def show(report: Report) -> None:
    """Print it."""
    console = Console(width=120)
    console.print(_strikes(report), _accounts(report), _budgets(report.budgets))
    console.print(f"minutes with an entry of the ledger: {report.evaluated_share:.0%}")
    lost = [
        *report.record.failures,
        *(f"log line lost: {each}" for each in report.lines.lost),
        *(f"log line stored twice: {each}" for each in report.lines.twice),
        *(f"webhook lost: {each}" for each in report.webhooks.lost),
        *(f"webhook stored twice: {each}" for each in report.webhooks.twice),
        *(f"alert without an incident: {each}" for each in report.pages.lost),
        *(f"incident without its end: {each}" for each in report.pages.endless),
        *(
            f"budget: {each.kind} events are wrong by more than the gaps explain"
            for each in report.budgets
            if not each.good
        ),
    ]
    for line in lost[:_SHOWN]:
        console.print(f"  {line}", markup=False)
    if len(lost) > _SHOWN:
        console.print(f"  … and {len(lost) - _SHOWN} more")
    console.print("nothing is lost" if report.good else "LOST", f"(seed {report.seed})")


def _strikes(report: Report) -> Table:
    table = Table("process", "kills", "freezes", "downtime, s", "didn't come back", title="What was done")
    for part in PARTS:
        gone = sum(outage.ended - outage.begun for outage in report.record.of(part))
        failed = sum(text.startswith(f"{part} ") for text in report.record.failures)
        counts = (len(report.record.of(part, kind)) for kind in (Kind.KILL, Kind.FREEZE))
        table.add_row(part, *map(str, counts), f"{gone:.0f}", str(failed))
    return table


def _accounts(report: Report) -> Table:
    table = Table("what", "emitted", "stored", "dead letters", "lost", "twice", "note", title="What became of it")
    lines, webhooks, pages = report.lines, report.webhooks, report.pages
    table.add_row(
        "log lines",
        *map(str, (lines.emitted, lines.stored, lines.set_aside, len(lines.lost), len(lines.twice))),
        f"{lines.torn} cut by a kill",
    )
    table.add_row(
        "webhooks",
        *map(str, (webhooks.emitted, webhooks.stored, "-", len(webhooks.lost), len(webhooks.twice))),
        f"{report.emitted.webhook_attempts} attempts",
    )
    table.add_row(
        "alerts",
        *map(str, (pages.fired, pages.incidents, "-", len(pages.lost), "-")),
        f"{pages.brief} brief ones, {pages.anew} told anew",
    )
    table.add_row("their ends", str(pages.incidents), str(pages.resolved), "-", str(len(pages.endless)), "-", "")
    return table


def _budgets(budgets: Sequence[Budget]) -> Table:
    columns = (
        "events",
        "answered",
        "unsure",
        "scraped",
        "in the ledger",
        "may be unscraped",
        "may be in no entry",
        "right",
    )
    table = Table(*columns, title="Budgets: the truth, and the ledger")
    for each in budgets:
        figures = (each.answered, each.unsure, each.scraped, each.ledger, each.most_unscraped, each.most_unentered)
        table.add_row(each.kind, *map(str, figures), "yes" if each.good else "NO")
    return table
