"""What `sereno logs doctor` shows."""

from typing import TYPE_CHECKING

import click

from sereno_cli import plain_text

if TYPE_CHECKING:
    from sereno_collectors.logs.doctor import Examination

_WORDS = {0: ("broken", "bright_red"), 1: ("needs you", "yellow"), 2: ("note", "cyan"), 3: ("well", "green")}


def print_examination(answer: "Examination") -> None:
    """One line for each thing that was looked at, worst first; below it what to do."""
    needing = sum(each.needs_somebody for each in answer.findings)
    verdict = "healthy" if answer.is_healthy else f"{needing} thing{'s' * (needing > 1)} to do"
    click.echo(f"{answer.store}: {verdict}")
    for each in answer.findings:
        word, colour = _WORDS[each.gravity]
        click.echo(f"{click.style(f'{word:<9}', fg=colour)} {each.subject}: {plain_text.plain(each.message)}")
        if each.cure:
            click.echo(f"          → {plain_text.plain(each.cure)}")


def as_json_text(answer: "Examination") -> str:
    """The same for scripts."""
    from sereno_cli.json_text import json_text

    findings = [
        {
            "gravity": each.gravity.name.lower(),
            "needs_somebody": each.needs_somebody,
            "subject": each.subject,
            "message": each.message,
            "cure": each.cure,
        }
        for each in answer.findings
    ]
    return json_text(
        {
            "store": answer.store,
            "looked_at": answer.looked_at,
            "healthy": answer.is_healthy,
            "disks": answer.disks,
            "findings": findings,
        }
    )
