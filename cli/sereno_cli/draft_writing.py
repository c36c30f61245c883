"""From evidence to the file of a draft: a new one, one that is overwritten, or one in which people's words stay."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.plain_text import plain

if TYPE_CHECKING:
    from sereno_postmortems.draft import Evidence, OwnTemplate, Updated


@dataclass(frozen=True, slots=True)
class Target:
    """Where the draft goes."""

    folder: Path
    path: Path
    overwrite: bool
    existing: str | None
    """What stands there and is to be kept; None for a new draft."""


def read_form(template: Path | None) -> "OwnTemplate | ExitCode | None":
    """The team's template, read and parsed; None for Sereno's own. Mistakes are told."""
    from sereno_postmortems.draft import OwnTemplate, read_template

    if template is None:
        return None
    form = read_template(template)
    if isinstance(form, OwnTemplate):
        return form
    click.echo(str(form), err=True)
    return ExitCode.INVALID_INPUT


def target_of(folder: Path, incident_id: str, mode: str | None) -> Target | ExitCode:
    """Decide before anything is asked whether the draft may be written; `mode` is None, `update` or `force`."""
    from sereno_postmortems.draft import has_measured_blocks

    path = folder / f"{incident_id}.md"
    if not path.exists() or mode == "force":
        return Target(folder, path, mode == "force", None)
    if mode is None:
        say(
            f"{path} exists and is left alone; --update renews what is measured in it and keeps what people wrote, "
            "--force overwrites it, --out writes elsewhere"
        )
        return ExitCode.INVALID_INPUT
    try:
        existing = path.read_bytes().decode("utf-8")
    except OSError as error:
        say(f"{path} can't be read: {error.strerror}; --out writes a draft elsewhere")
        return ExitCode.INVALID_INPUT
    except UnicodeDecodeError:
        say(f"{path} is no UTF-8 and is left alone; save it as UTF-8, or write a draft elsewhere with --out")
        return ExitCode.INVALID_INPUT
    if not has_measured_blocks(existing):
        say(
            f"{path} has no measured blocks (<!-- measured:… -->), so nothing in it can be renewed; "
            "--out writes a draft elsewhere, to copy from"
        )
        return ExitCode.INVALID_INPUT
    return Target(folder, path, overwrite=True, existing=existing)


def write(evidence: "Evidence", form: "OwnTemplate | None", target: Target) -> ExitCode:
    """Render and write; a folder that can't be written is a mistake to correct, nothing half-written remains."""
    from sereno_postmortems.draft import (
        DraftExists,
        TemplateMistake,
        draw_charts,
        known_sources,
        recorded_words,
        render_draft,
        render_own,
        updated,
        write_charts,
        write_draft,
    )

    known = {} if target.existing is None else known_sources(target.existing)
    text = render_draft(evidence, known=known) if form is None else render_own(form, evidence, known=known)
    if isinstance(text, TemplateMistake):
        click.echo(str(text), err=True)
        return ExitCode.INVALID_INPUT
    try:
        if target.existing is not None:
            outcome = updated(target.existing, text, recorded=recorded_words(evidence.incident))
            text = outcome.text
            if target.path.read_bytes() != target.existing.encode("utf-8"):
                say(f"{target.path} was changed meanwhile and is left alone; call it again")
                return ExitCode.INVALID_INPUT
            _tell(target.path, outcome)
        path = write_draft(target.folder, target.path.stem, text, overwrite=target.overwrite)
        for kept in write_charts(target.folder, draw_charts(evidence)):
            say(f"{kept} isn't as it was drawn and is left alone; delete it to have it drawn anew")
    except DraftExists as error:
        say(f"{error} exists and is left alone; --update renews it, --force overwrites it, --out writes elsewhere")
        return ExitCode.INVALID_INPUT
    except OSError as error:
        say(f"can't write into {target.folder}: {error.strerror}; name another folder with --out")
        return ExitCode.INVALID_INPUT
    click.echo(path)
    return ExitCode.OK


def say(text: str) -> None:
    """Everything but the path goes to standard error, so that scripts can take the path."""
    click.echo(f"postmortem: {plain(text)}", err=True)


def _tell(path: Path, outcome: "Updated") -> None:
    say(f"renewed: {', '.join(outcome.renewed) or 'nothing'}")
    for name, line in outcome.edited:
        say(f"{path}:{line}: the measured block {name} was edited by people and is left as it is")
    if outcome.removed:
        say(f"not in the file any more, so left out: {', '.join(outcome.removed)}")
