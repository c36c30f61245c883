"""What `sereno budget` shows: a line for each SLO, and what the gate says."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from sereno_cli.figures_in_words import length, minute, rate, share

if TYPE_CHECKING:
    from sereno_slo.explain import Standing

    from sereno_cli.commands.budget import Answer

_PIPE_WIDTH = 120


def print_answer(found: "Sequence[Standing]", answer: "Answer | None", now: datetime, form: str) -> None:
    """The standings, and what the gate says where it was asked."""
    if form == "json":
        from sereno_cli.json_text import json_text

        click.echo(json_text({"at": now, "standings": list(found), "gate": answer}), nl=False)
        return
    print_standings(found, now)
    for line in (*_notes(found), *(() if answer is None else _gate(answer))):
        click.echo(line)


def print_standings(found: "Sequence[Standing]", now: datetime) -> None:
    """The table; a dash is what the server doesn't know."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("SLO", overflow="fold")
    table.add_column("")
    for heading in ("left", "1h", "6h", "3d", "gone in", "seen", "of"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("owner", overflow="fold")
    for standing in found:
        slo = standing.slo
        table.add_row(
            f"{slo.service}/{slo.name}",
            _state(standing),
            share(standing.remaining_ratio),
            *(rate(burn.burn_rate) for burn in standing.burn_rates),
            _gone(standing, now),
            "-" if standing.coverage_ratio is None else f"{100 * standing.coverage_ratio:.0f} %",
            str(slo.window if slo.calendar is None else slo.calendar.unit),
            slo.owner,
            style="bold" if standing.pages else None,
        )
    # In a file or a pipe nothing is cut at 80 columns.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False).print(table)


def _state(standing: "Standing") -> str:
    if standing.pages:
        return "PAGE"
    if standing.firing:
        return "ticket"
    return "" if standing.is_known else "no data"


def _gone(standing: "Standing", now: datetime) -> str:
    seconds, calendar = standing.exhausted_in_seconds, standing.slo.calendar
    if seconds is None:
        return "-"
    if calendar is not None and seconds > (calendar.around(now)[1] - now).total_seconds():
        return f"not this {calendar.unit}"
    return length(seconds) if seconds > 0 else "gone"


def _notes(found: "Sequence[Standing]") -> Iterator[str]:
    for standing in found:
        slo = standing.slo
        yield from (f"note: {slo.service}/{slo.name}: {note}" for note in standing.notes)
    unknown = sum(not standing.is_known for standing in found)
    if unknown:
        yield f"{unknown} of {len(found)} SLOs have no data on this server; `sereno explain` says what is missing"


def _gate(answer: "Answer") -> Iterator[str]:
    """Denials and warnings with their reasons, and who lets pass what."""
    from sereno_slo.gate import GateAnswer

    by = dict(answer.overridden)
    for verdict in answer.verdicts:
        record = by.get(verdict)
        word = "warning" if verdict.answer is GateAnswer.WARN else "overridden" if record else "denied"
        yield f"{word}: {verdict.service}/{verdict.slo}: {verdict.reason} (gate: {verdict.when})"
    for record in {id(record): record for record in by.values()}.values():
        is_lasting = record.expires_at > record.recorded_at
        until = f"until {minute(record.expires_at)} UTC" if is_lasting else "for this run only"
        yield f"override: by {record.author}, {until}: {record.reason}"
    if answer.recorded_in:
        yield f"recorded in {answer.recorded_in}: commit it"
    if answer.ungated:
        yield f"no rule of a gate concerns {', '.join(answer.ungated)}"
    yield f"gate: {'open' if answer.is_open else 'closed'}"
