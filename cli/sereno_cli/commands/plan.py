"""`sereno plan`: what a change of the specs does, before anybody merges it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from sereno_slo.changes import Comparison

    from sereno_cli.old_specs import OldSpecs
    from sereno_cli.specs import LoadedSpecs

_EPILOG = """\b
Examples:
  sereno plan
      what do my commits and unsaved changes do, since I left the main branch?
  sereno plan --base v1.4.0 --format markdown > plan.md
      a comment for a pull request (docs/plan.md has a workflow for GitHub and a job for GitLab)
  sereno plan --old ../before new/checkout.slo.yaml
      two folders, without git
"""


@click.command(epilog=_EPILOG)
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC…]")
@click.option(
    "--base",
    metavar="GITREF",
    help="Compare with the commit at which HEAD left this branch, tag or commit [origin's main branch, else main].",
)
@click.option(
    "--old", type=click.Path(path_type=Path), metavar="FOLDER", help="Compare with the specs of a folder instead."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="markdown: for a comment, at most 65,536 bytes.",
)
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
def command(
    *, specs: tuple[Path, ...], base: str | None, old: Path | None, format_: str, settings: Path | None
) -> ExitCode:
    """Tell what a change of specs does: to settings, rules, recorded series, samples, and to the budget's past.

    The new side are the files as they are; the old side is a commit, with the sereno.yaml that it had, or a folder.
    Without SPEC all of slo/specs is compared. The exit code is 0 whatever changes, and 2 where specs of either side
    have mistakes: all of them are told.
    """
    from sereno_cli.git import GitMissing, GitRefused
    from sereno_cli.old_specs import old_from_folder, old_from_git
    from sereno_cli.specs import load_specs

    if base is not None and old is not None:
        click.echo("sereno plan: --base and --old say both what the old side is; leave one out", err=True)
        return ExitCode.INVALID_INPUT
    new = load_specs(specs, settings)
    if new is None:
        return ExitCode.INVALID_INPUT
    try:
        before = old_from_git(base, specs, settings) if old is None else old_from_folder(old, specs, settings)
    except GitRefused as error:
        click.echo(f"sereno plan: {error}", err=True)
        return ExitCode.INVALID_INPUT
    except GitMissing as error:
        click.echo(f"sereno plan: {error}", err=True)
        return ExitCode.UNREACHABLE
    comparison = _compared(before, new)
    if comparison is None:
        return ExitCode.INVALID_INPUT
    click.echo(_writer(format_)(comparison, before.label).rstrip("\n"))
    return ExitCode.OK


def _compared(before: "OldSpecs", new: "LoadedSpecs") -> "Comparison | None":
    """None where either side has mistakes, which are told."""
    from sereno_slo import has_errors, validate_specs
    from sereno_slo.changes import Side, compare

    from sereno_cli.specs import print_diagnostics

    was, now = validate_specs(before.sources, before.settings), validate_specs(new.sources, new.settings)
    mistakes = (*before.diagnostics, *was.diagnostics, *new.diagnostics, *now.diagnostics)
    if has_errors(mistakes):
        print_diagnostics([mistake for mistake in mistakes if has_errors([mistake])])
        return None
    return compare(Side(was.services, before.settings), Side(now.services, new.settings))


def _writer(format_: str) -> "Callable[[Comparison, str], str]":
    from sereno_slo.changes import as_json, as_markdown, as_text

    return {"text": as_text, "json": as_json, "markdown": as_markdown}[format_]
