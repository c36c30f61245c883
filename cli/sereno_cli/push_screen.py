"""What `sereno push` shows: the differences, how far it is, and what became of them."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sereno_slo.pushing import Change, Differences, Pushed

# Of a group that differs everywhere, so many lines tell enough.
_MOST_RULES = 20


def print_differences(whose: str, found: "Differences", *, is_dry: bool, is_part: bool) -> None:
    """Each group that differs, with its rules that do; and what stays although no spec describes it."""
    for change in found.changes:
        size = f" ({len(change.group.get('rules') or [])} rules)" if not change.rules else ""
        click.echo(f"{whose}: {change.kind} {change.namespace}/{change.name}{size}")
        for line in change.rules[:_MOST_RULES]:
            click.echo(f"    {line}")
        if len(change.rules) > _MOST_RULES:
            click.echo(f"    … and {len(change.rules) - _MOST_RULES} more")
    if found.without_spec and not is_part:
        names = sorted({change.namespace for change in found.without_spec})
        click.echo(
            f"{whose}: {_groups(len(found.without_spec))} of services that no spec here describes stay: "
            f"{', '.join(names)} (--prune removes them)"
        )
    if not found.changes:
        click.echo(f"{whose}: nothing to do, {_groups(found.unchanged)} as the specs say")
    elif is_dry:
        click.echo(
            f"{whose}: {_groups(len(found.changes))} would change, {found.unchanged} would not; nothing was sent"
        )


def print_pushed(whose: str, pushed: "Pushed") -> None:
    """How far it went; all that went wrong, with the server's words, on standard error."""
    for change, words in pushed.refused:
        click.echo(f"sereno push: {whose}: {change.namespace}/{change.name} was not taken: {words}", err=True)
    if pushed.failure:
        click.echo(f"sereno push: {whose}: {pushed.failure}", err=True)
    if any("limit" in words for _, words in pushed.refused):
        most = max(len(change.group.get("rules") or []) for change, _ in pushed.refused)
        click.echo(f"sereno push: {whose}: groups have up to {most} rules; limits: docs/engines.md", err=True)
    if pushed.failure or pushed.refused:
        click.echo(f"sereno push: {whose}: pushed: {_names(pushed.done)}", err=True)
        missing = (*(change for change, _ in pushed.refused), *pushed.left)
        click.echo(f"sereno push: {whose}: not pushed: {_names(missing)}", err=True)
    else:
        click.echo(f"{whose}: {_groups(len(pushed.done))} pushed")


def print_not_kept(whose: str, after: "Differences") -> None:
    """What the ruler has otherwise than it was sent."""
    for change in after.changes:
        rules = "; ".join(change.rules[:_MOST_RULES]) or "it isn't there"
        click.echo(
            f"sereno push: {whose}: the ruler took {change.namespace}/{change.name}, but has it otherwise: {rules} "
            "(an old ruler drops what it doesn't know: docs/engines.md)",
            err=True,
        )


@contextmanager
def progress(groups: int) -> Iterator[Callable[[int], None]]:
    """How many groups are pushed, on a terminal's standard error."""
    is_terminal = sys.stderr.isatty()

    def show(done: int) -> None:
        if is_terminal:
            click.echo(f"\r{done:,} of {groups:,} groups", nl=False, err=True)

    try:
        yield show
    finally:
        if is_terminal:
            click.echo("\r\033[K", nl=False, err=True)


def _groups(count: int) -> str:
    return f"{count} group{'s' * (count != 1)}"


def _names(changes: "Sequence[Change]") -> str:
    return ", ".join(f"{change.namespace}/{change.name}" for change in changes) or "nothing"
