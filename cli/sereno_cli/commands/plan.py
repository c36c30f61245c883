"""`sereno plan`: what a change of the specs does, before anybody merges it."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from sereno_slo.changes import Comparison

    from sereno_cli.old_specs import OldSpecs
    from sereno_cli.specs import LoadedSpecs

_DAYS = 30
# Prometheus gives a question two minutes by default; an answer may take as long.
_ANSWER_SECONDS = 130.0

_EPILOG = """\b
Examples:
  sereno plan
      what do my commits and unsaved changes do, since I left the main branch?
  sereno plan --base v1.4.0 --format markdown > plan.md
      a comment for a pull request (docs/plan.md has a workflow for GitHub and a job for GitLab)
  sereno plan --prometheus http://127.0.0.1:9090
      and: what would the change have done to budget, pages and tickets in the last 30 days?
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
@click.option(
    "--prometheus",
    "url",
    metavar="URL",
    help="Count raw series, and replay the last 30 days: budget, pages and tickets before and after.",
)
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
def command(
    *,
    specs: tuple[Path, ...],
    base: str | None,
    old: Path | None,
    format_: str,
    url: str | None,
    settings: Path | None,
) -> ExitCode:
    """Tell what a change of specs does: to settings, rules, recorded series, samples, and to the budget's past.

    The new side are the files as they are; the old side is a commit, with the sereno.yaml that it had, or a folder.
    Without SPEC all of slo/specs is compared. The exit code is 0 whatever changes, and 2 where specs of either side
    have mistakes: all of them are told. With --prometheus it is 3 where the server didn't answer.
    """
    from sereno_cli.specs import load_specs

    new = load_specs(specs, settings)
    if new is None:
        return ExitCode.INVALID_INPUT
    try:
        before = _old_side(base, old, specs, settings)
        comparison = _compared(before, new)
        if comparison is None:
            return ExitCode.INVALID_INPUT
        if url is not None:
            comparison = _asked(url, comparison)
    except PlanRefused as error:
        click.echo(f"sereno plan: {error}", err=True)
        return ExitCode.INVALID_INPUT
    except PlanUnanswered as error:
        click.echo(f"sereno plan: {error}", err=True)
        return ExitCode.UNREACHABLE
    click.echo(_writer(format_)(comparison, before.label).rstrip("\n"))
    return ExitCode.OK


class PlanRefused(Exception):  # noqa: N818 - reads as what happened
    """The arguments can't be used; the message says why and what to write."""


class PlanUnanswered(Exception):  # noqa: N818 - reads as what happened
    """git or the server can't be reached, or gave no whole answer; the message says which."""


def _old_side(base: str | None, old: Path | None, specs: tuple[Path, ...], settings: Path | None) -> "OldSpecs":
    from sereno_cli.git import GitMissing, GitRefused
    from sereno_cli.old_specs import old_from_folder, old_from_git

    if base is not None and old is not None:
        raise PlanRefused("--base and --old say both what the old side is; leave one out")
    try:
        return old_from_git(base, specs, settings) if old is None else old_from_folder(old, specs, settings)
    except GitRefused as error:
        raise PlanRefused(str(error)) from error
    except GitMissing as error:
        raise PlanUnanswered(str(error)) from error


def _compared(before: "OldSpecs", new: "LoadedSpecs") -> "Comparison | None":
    """None where either side has mistakes, which are told."""
    from sereno_slo import has_errors, validate_specs
    from sereno_slo.changes import Side, compare

    from sereno_cli.specs import print_diagnostics

    was = validate_specs(before.sources, before.settings, are_all=before.are_all)
    now = validate_specs(new.sources, new.settings, are_all=new.are_all)
    mistakes = (*before.diagnostics, *was.diagnostics, *new.diagnostics, *now.diagnostics)
    if has_errors(mistakes):
        print_diagnostics([mistake for mistake in mistakes if has_errors([mistake])])
        return None
    return compare(
        Side(was.services, before.settings, was.dependencies), Side(now.services, new.settings, now.dependencies)
    )


def _asked(url: str, comparison: "Comparison") -> "Comparison":
    """The same with what the server knows; nothing is told where its answers are not complete."""
    from sereno_backends.prometheus import PrometheusAddressInvalid, PrometheusClient, PrometheusError
    from sereno_slo.backtest import Asked, HistoryNotRead
    from sereno_slo.changes import with_consequences, with_counts
    from sereno_slo.diagnostics import on_one_line
    from sereno_slo.history import Asker, Reader, series_counts

    from sereno_cli.backtest_screen import progress
    from sereno_cli.replaying import Replayer

    now = datetime.now(UTC)
    try:
        with PrometheusClient(url, timeout_seconds=_ANSWER_SECONDS) as client, progress() as (begin, advance, ask):
            reader = Reader(client, ask)
            counted = with_counts(comparison, partial(series_counts, Asker(reader, now)))
            period = Asked(int(now.timestamp()) // 60 * 60_000, _DAYS)
            return with_consequences(counted, Replayer(reader, period, advance), begin)
    except PrometheusAddressInvalid as error:
        raise PlanRefused(on_one_line(str(error))) from error
    except (PrometheusError, HistoryNotRead) as error:
        raise PlanUnanswered(on_one_line(str(error))) from error


def _writer(format_: str) -> "Callable[[Comparison, str], str]":
    from sereno_slo.changes import as_json, as_markdown, as_text

    return {"text": as_text, "json": as_json, "markdown": as_markdown}[format_]
