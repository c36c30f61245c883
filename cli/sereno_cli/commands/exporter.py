"""`sereno exporter`: metrics of what has none: one server for any number of exporters."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sereno_exporters.kinds import KINDS

from sereno_cli.exit_codes import ExitCode
from sereno_cli.proposing_group import ProposingGroup
from sereno_cli.serving import LOOPBACK_HOSTS, address_of, listen, serve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_exporters.frame.configuration import ConfiguredTarget

DEFAULT_CONFIG = Path("exporters.yaml")
DEFAULT_PORT = 19096
_ALL = "all"
_OWN = {
    _ALL: "Serve all exporters of the configuration.",
    "check": "Report every mistake in the configuration.",
    "list": "List the exporters, and the metric families of each.",
}


def _summaries() -> dict[str, str]:
    return {name: summary for name, (_, summary) in KINDS.items()}


class _Exporters(ProposingGroup):
    """A subcommand for each exporter; none is imported for `--help`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted({*_OWN, *KINDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == _ALL or cmd_name in KINDS:
            return _serving_command(cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(sorted((_summaries() | _OWN).items()))


@click.group(cls=_Exporters)
def command() -> None:
    """Serve metrics of what has none: databases' rows, queues, quotas, deployments.

    \b
    sereno exporter list                     which exporters there are
    sereno exporter check                    is exporters.yaml right?
    sereno exporter sql --once               print what one scrape of the databases serves
    sereno exporter all                      serve everything that exporters.yaml names
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines


CONFIG = click.option(
    "--config",
    default=DEFAULT_CONFIG,
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Which targets each exporter has.",
)


@command.command("list")
@click.argument("names", nargs=-1, metavar="[NAME]…")
def list_(names: tuple[str, ...]) -> ExitCode:
    """List the exporters; with names, every metric family of these.

    \b
    sereno exporter list
    sereno exporter list sql rabbitmq
    """  # noqa: D301
    from sereno_exporters.kinds import load

    if unknown := [name for name in names if name not in KINDS]:
        raise click.UsageError(f"there is no exporter {unknown[0]}; there are: {', '.join(sorted(KINDS))}")
    if not names:
        for name, summary in sorted(_summaries().items()):
            click.echo(f"{name:<16} {summary}")
        return ExitCode.OK
    for kind in load(names):
        click.echo(f"{kind.name}: {kind.summary}")
        for family in kind.families:
            labels = ", ".join(("target", *family.labels))
            click.echo(f"  {family.name}{{{labels}}} ({family.kind})\n      {family.help}")
    return ExitCode.OK


@command.command()
@CONFIG
def check(config: Path) -> ExitCode:
    """Report every mistake in the configuration, with its place and cure; asks no target.

    \b
    sereno exporter check
    sereno exporter check --config other.yaml
    """  # noqa: D301
    targets = _targets(config, None)
    if targets is None:
        return ExitCode.INVALID_INPUT
    for each in targets:
        limits = f"at most {each.timeout_seconds:g} s and {each.series_limit:,} series a scrape"
        click.echo(f"{each.kind.name}/{each.target.name}: {limits}")
    click.echo(f"{config} is right; whether its targets answer: sereno exporter {_ALL} --once")
    return ExitCode.OK


def _serving_command(name: str) -> click.Command:
    """`sereno exporter NAME`."""
    what = "all exporters of the configuration" if name == _ALL else f"the exporter {name}"
    summary = _OWN[_ALL] if name == _ALL else KINDS[name][1]
    text = f"""{summary}

    \b
    sereno exporter {name}
    sereno exporter {name} --once
    sereno exporter {name} --once --target orders
    sereno exporter {name} --host 0.0.0.0 --web-config web.yml

    \b
    In Prometheus, one job for everything:
      - job_name: sereno-exporters
        static_configs: [{{targets: ["127.0.0.1:{DEFAULT_PORT}"]}}]
    or a scrape for each target, found by HTTP service discovery:
      - job_name: sereno-exporter-targets
        http_sd_configs: [{{url: "http://127.0.0.1:{DEFAULT_PORT}/sd"}}]

    A target that can't be reached is sereno_NAME_up 0, not a failed scrape.

    Exit codes: 0 ended well, 2 the configuration is wrong, 3 the port is taken or, with --once, a target failed.
    """
    parameters: list[click.Parameter] = [
        click.Option(["--once"], is_flag=True, help="Print what one scrape serves, and end."),
        click.Option(["--target"], multiple=True, help="With --once: only targets of this name."),
        click.Option(["--host"], default="127.0.0.1", show_default=True, help="Address to listen on."),
        click.Option(
            ["--port"], default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
        ),
        click.Option(
            ["--web-config"],
            type=click.Path(dir_okay=False, path_type=Path),
            help="TLS and users, as Prometheus' own web configuration writes them.",
        ),
    ]
    made = click.Command(name, params=parameters, help=text, short_help=f"Serve {what}.", callback=partial(_run, name))
    return CONFIG(made)


def _run(
    name: str, *, config: Path, once: bool, target: tuple[str, ...], host: str, port: int, web_config: Path | None
) -> ExitCode:
    targets = _targets(config, None if name == _ALL else name)
    if targets is None:
        return ExitCode.INVALID_INPUT
    if target and not once:
        raise click.UsageError("--target goes with --once; a server serves all, /probe one of them")
    if unknown := [one for one in target if one not in {each.target.name for each in targets}]:
        known = ", ".join(each.target.name for each in targets)
        raise click.UsageError(f"no target is called {unknown[0]}; there are: {known}")
    chosen = [each for each in targets if not target or each.target.name in target]
    return _once(chosen) if once else _serve(chosen, host, port, web_config)


def _targets(config: Path, name: str | None) -> "Sequence[ConfiguredTarget] | None":
    """The targets of an exporter, or of all; None: its mistakes were printed."""
    from sereno_slo.diagnostics import has_errors

    from sereno_cli.exporters_file import read_targets
    from sereno_cli.specs import print_diagnostics

    targets, diagnostics = read_targets(config)
    print_diagnostics(diagnostics, "no target was asked")
    if has_errors(diagnostics):
        return None
    chosen = [each for each in targets if name in (None, each.kind.name)]
    if not chosen:
        which = name or "any exporter"
        raise click.UsageError(
            f"{config} has no targets for {which}: add exporters: {{{name or 'NAME'}: {{targets: …}}}}"
        )
    return chosen


def _once(targets: "Sequence[ConfiguredTarget]") -> ExitCode:
    from contextlib import closing

    from sereno_exporters.frame.scraping import Scrapers
    from sereno_exporters.frame.serving import as_text

    with closing(Scrapers(targets, report=partial(click.echo, err=True))) as scrapers:
        exposition = scrapers.scrape()
    click.echo(as_text(exposition.metrics), nl=False)
    return ExitCode.UNREACHABLE if exposition.failures else ExitCode.OK


def _serve(targets: "Sequence[ConfiguredTarget]", host: str, port: int, web_config: Path | None) -> ExitCode:
    from contextlib import closing

    from sereno_exporters.frame.scraping import Scrapers
    from sereno_exporters.frame.serving import create_app

    from sereno_cli.web_protection import Protection, WebConfigInvalid

    try:
        protection = Protection(web_config)
    except WebConfigInvalid:
        return ExitCode.INVALID_INPUT
    with listen(host, port, command="sereno exporter") as listener, closing(Scrapers(targets)) as scrapers:
        if host not in LOOPBACK_HOSTS and not protection.has_users:
            click.echo(
                f"warning: whoever reaches {host} can read the metrics; --web-config asks for a password", err=True
            )
        where = address_of(listener, host, tls=protection.tls is not None)
        click.echo(f"exporters: {len(targets)} targets, listening on {where}, Ctrl-C stops")
        app = protection.around(create_app(scrapers))
        with modules_are_no_garbage():
            serve(app, listener, tls=protection.tls, timeout_keep_alive=75)
    return ExitCode.OK


@contextmanager
def modules_are_no_garbage() -> Iterator[None]:
    """What is loaded now stays: it isn't looked through again for each scrape of thousands of series."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
