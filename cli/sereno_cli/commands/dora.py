"""`sereno dora`: DORA's figures, deployments with their verdicts, and why."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_cli.dora_request import Judgement

_LONGEST_WINDOW = timedelta(days=3650)


@click.group()
def command() -> None:
    """Tell how deliveries go: DORA's figures, counted from DevOps events; why a deployment counts as failed.

    \b
    sereno dora figures                     the five figures of each service
    sereno dora deployments --failed        which deployments failed
    sereno dora why 145988746               by which rule, with evidence

    Definitions and rules: docs/dora.md. The events come from `sereno collect devops`.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines


def _source_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True),
        click.option("--target", metavar="NAME", help="Which one, where the configuration has several."),
        click.option(
            "--config",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Instead of --store: a configuration of exporters, with the rules' own numbers.",
        ),
        click.option(
            "--store",
            type=click.Path(path_type=Path),
            help="The file of `sereno collect devops`. [default: var/devops.sqlite]",
        ),
    ):
        function = option(function)
    return function


@command.command()
@click.option("--window", default="30d", show_default=True, metavar="DURATION", help="The time until now.")
@click.option("--service", "services", multiple=True, metavar="NAME", help="Only this service; may be repeated.")
@_source_options
def figures(window: str, services: tuple[str, ...], form: str, **source: Any) -> ExitCode:
    """Print DORA's figures of each service and production environment, with the counts that they rest on.

    \b
    sereno dora figures
    sereno dora figures --window 7d --service checkout
    sereno dora figures --config exporters.yaml --format json

    Exit codes: 0 printed, 1 nothing was deployed to production, 2 the arguments are wrong, 3 the store can't be read.
    """  # noqa: D301

    def show(found: "Judgement") -> ExitCode:
        from sereno_exporters.dora.figures import figures as counted

        from sereno_cli.dora_screen import print_figures, refuse_unknown

        length = _window(window, found.now)
        rows = counted(found.history, found.deployments, found.now, {window: length})
        chosen = [row for row in rows if not services or row.service in services]
        refuse_unknown(services, {row.service for row in rows})
        print_figures(chosen, found, length, form)
        return ExitCode.OK if chosen else ExitCode.ANSWER_IS_NO

    return _answered(show, **source)


@command.command()
@click.option("--since", default="30d", show_default=True, metavar="TIME", help="RFC 3339, or so long ago: 7d.")
@click.option("--service", "services", multiple=True, metavar="NAME", help="Only this service; may be repeated.")
@click.option("--failed", is_flag=True, help="Only those that count as failed.")
@_source_options
def deployments(since: str, services: tuple[str, ...], failed: bool, form: str, **source: Any) -> ExitCode:
    """List the deployments to production, each with its verdict, the newest first.

    \b
    sereno dora deployments
    sereno dora deployments --since 7d --service checkout
    sereno dora deployments --failed --format json

    Exit codes: 0 listed, 1 there are none, 2 the arguments are wrong, 3 the store can't be read.
    """  # noqa: D301

    def show(found: "Judgement") -> ExitCode:
        from sereno_exporters.dora.verdicts import Verdict

        from sereno_cli.dora_screen import print_deployments, refuse_unknown

        start = _moment(since, found.now)
        refuse_unknown(services, {each.run.key.service for each in found.deployments})
        chosen = [
            each
            for each in found.deployments
            if each.deployed_at >= start
            and (not services or each.run.key.service in services)
            and (not failed or each.verdict is Verdict.FAILED)
        ]
        print_deployments(chosen, form)
        return ExitCode.OK if chosen else ExitCode.ANSWER_IS_NO

    return _answered(show, **source)


@command.command()
@click.argument("deployment", metavar="DEPLOYMENT")
@_source_options
def why(deployment: str, form: str, **source: Any) -> ExitCode:
    """Tell why a deployment counts as it does: what each rule looked at and found, with times and event ids.

    \b
    sereno dora why 145988746
    sereno dora why f95f852bd8
    sereno dora why v2
    sereno dora why 145988746 --format json

    DEPLOYMENT is its id at the provider, as `sereno dora deployments` lists it, or what was deployed: a commit (seven
    digits will do) or a version.

    Exit codes: 0 told, 2 there is no such deployment (the nearest are named), 3 the store can't be read.
    """  # noqa: D301

    def show(found: "Judgement") -> ExitCode:
        from sereno_cli.dora_screen import named_runs, print_why

        print_why(named_runs(found, deployment), found, form)
        return ExitCode.OK

    return _answered(show, **source)


def _answered(
    show: "Callable[[Judgement], ExitCode]", *, store: Path | None, config: Path | None, target: str | None
) -> ExitCode:
    from sereno_backends.devops import DevOpsStoreUnavailable

    from sereno_cli.dora_request import DoraRefused, asked_of, judge

    try:
        asked = asked_of(store, config, target)
        return ExitCode.INVALID_INPUT if asked is None else show(judge(asked, datetime.now(UTC)))
    except DoraRefused as error:
        click.echo(f"sereno dora: {error}", err=True)
        return ExitCode.INVALID_INPUT
    except DevOpsStoreUnavailable as error:
        click.echo(f"sereno dora: {error}; name the file of `sereno collect devops` with --store", err=True)
        return ExitCode.UNREACHABLE


def _window(text: str, now: datetime) -> timedelta:
    length = now - _moment(text, now)
    if not timedelta() < length <= _LONGEST_WINDOW or text.startswith("now"):
        from sereno_cli.dora_request import DoraRefused

        raise DoraRefused(f"--window {text} is no length of time; write for example 30d")
    return length


def _moment(text: str, now: datetime) -> datetime:
    from sereno_cli.dora_request import DoraRefused
    from sereno_cli.moments import read_moment

    try:
        return read_moment(text, now)
    except ValueError as error:
        raise DoraRefused(str(error)) from error
