"""`sereno postmortem actions`: what is still to be done."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.plain_text import plain
from sereno_cli.postmortem_files import files_to_read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_postmortems.review import Action


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE…]", type=click.Path(path_type=Path))
@click.option("--owner", metavar="NAME", help="Only those of this owner, whatever the case.")
@click.option("--all", "with_done", is_flag=True, help="Those that are done, too.")
@click.option("--fail-overdue", is_flag=True, help="Exit with 1 if an action is overdue.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
def command(files: tuple[Path, ...], owner: str | None, with_done: bool, fail_overdue: bool, form: str) -> ExitCode:
    """List open action items of all postmortems: overdue first, then by due date, then those without one.

    \b
    sereno postmortem actions                        all of postmortems/
    sereno postmortem actions --owner payments --all
    sereno postmortem actions --fail-overdue         for a job that reminds people
    sereno postmortem actions --format json

    An item is done when its column `done` holds a date (2026-12-01), or when its action is struck through (~~so~~).

    Exit codes: 0 listed, 1 with --fail-overdue if one is overdue, 2 a file isn't there or can't be read.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_postmortems.review import NotReadable, Postmortem, open_actions, read_postmortem

    paths = files_to_read(files)
    if paths is None:
        return ExitCode.INVALID_INPUT
    found = [read_postmortem(path) for path in paths]
    today = datetime.now(UTC).date()
    readable = [one for one in found if isinstance(one, Postmortem)]
    actions = open_actions(readable, today, owner=owner, with_done=with_done)
    click.echo(json.dumps(_document(actions), indent=2, ensure_ascii=False) if form == "json" else _text(actions))
    unreadable = [one for one in found if isinstance(one, NotReadable)]
    for one in unreadable:
        click.echo(f"postmortem: {plain(one.path)}: {one.reason}; {one.cure}", err=True)
    if unreadable:
        return ExitCode.INVALID_INPUT
    is_late = any(action.is_overdue for action in actions)
    return ExitCode.ANSWER_IS_NO if fail_overdue and is_late else ExitCode.OK


def _text(actions: "Sequence[Action]") -> str:
    late = sum(action.is_overdue for action in actions)
    still = sum(not action.is_done for action in actions)
    summary = f"{still} open action{'' if still == 1 else 's'}, {late} overdue"
    return "\n".join([*map(_lines, actions), summary])


def _lines(action: "Action") -> str:
    """Two lines each: who and when, then what and where."""
    when = _when(action)
    kind = f" ({action.kind})" if action.kind else ""
    first = f"{when}  {action.owner or 'nobody'}: {action.action or 'no action is written'}{kind}"
    return f"{plain(first)}\n    {plain(action.path)}:{action.line}"


def _when(action: "Action") -> str:
    if action.is_done:
        return "done"
    if action.due is None:
        return f"no date ({action.due_text})" if action.due_text.strip("…") else "no date"
    if action.is_overdue:
        return f"OVERDUE {action.due} by {action.days_late} day{'' if action.days_late == 1 else 's'}"
    return f"due {action.due}"


def _document(actions: "Sequence[Action]") -> list[dict[str, Any]]:
    return [
        {
            "path": action.path,
            "line": action.line,
            "action": action.action,
            "kind": action.kind,
            "owner": action.owner,
            "due": None if action.due is None else action.due.isoformat(),
            "due_text": action.due_text,
            "is_done": action.is_done,
            "is_overdue": action.is_overdue,
            "days_late": action.days_late,
        }
        for action in actions
    ]
