"""`sereno dashboards check`: which panels are empty on a server."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sereno_backends.grafana import Dashboard
    from sereno_slo.dashboards_check import Looked, Reasons, Servers

_REASONS_FILE = Path("dashboards/grafana/empty-is-good.yaml")
_ANSWER_SECONDS = 30.0
_EPILOG = """\b
Examples:
  sereno dashboards check --prometheus http://127.0.0.1:9090
      all of the repository's dashboards; those of what isn't there at all are left out, and named
  sereno dashboards check --prometheus http://127.0.0.1:9090 dashboards/grafana/generated/checkout.json
      this one must have data, whatever it needs
  sereno dashboards check --prometheus http://127.0.0.1:9090 --elasticsearch http://127.0.0.1:9200
      panels of logs, too
  sereno dashboards check --prometheus http://127.0.0.1:9090 --set service=checkout --at now-3h
      with another value of a variable than the dashboard opens with, as it was three hours ago
"""


@click.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("--prometheus", "url", metavar="URL", required=True, help="The server whose series are shown.")
@click.option(
    "--elasticsearch", metavar="URL", help="The server whose logs are shown; without it they aren't asked for."
)
@click.option(
    "--index", metavar="PATTERN", default="logs-*", show_default=True, help="Where logs are in Elasticsearch."
)
@click.option("--set", "chosen", metavar="NAME=VALUE", multiple=True, help="Another value of a variable.")
@click.option(
    "--empty",
    "reasons_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Which panels may be empty, and why [{_REASONS_FILE}].",
)
@click.option(
    "--at", metavar="MOMENT", default="now", show_default=True, help="Another moment: 2026-11-20T10:00:00Z, now-3h."
)
def command(
    *,
    files: tuple[Path, ...],
    url: str,
    elasticsearch: str | None,
    index: str,
    chosen: tuple[str, ...],
    reasons_file: Path | None,
    at: str,
) -> ExitCode:
    """Ask servers the queries of all panels, as Grafana does, and tell which answer with nothing.

    Variables have the values with which the dashboard opens; those that Grafana asks the server for are asked for here,
    too. A panel that may be empty stands with the reason in a file that people review. FILE are dashboards or folders
    of such; without one, the repository's.

    Exit code 1 if a panel is empty without a reason, or a query is refused; 2 if a file is wrong; 3 if a server can't
    be reached.
    """
    from sereno_cli.moments import read_moment

    values = dict(each.split("=", 1) for each in chosen if "=" in each)
    if len(values) < len(chosen):
        return _invalid("--set takes NAME=VALUE, each name once")
    try:
        moment = read_moment(at, datetime.now(UTC))
    except ValueError as error:
        return _invalid(f"--at: {error}")
    boards = _boards(files, values)
    reasons = None if boards is None else _reasons(reasons_file, [board for _, board in boards], are_all=not files)
    if boards is None or reasons is None:
        return ExitCode.INVALID_INPUT
    with _answering() as outcome, ExitStack() as stack:
        servers = _servers(stack, url, elasticsearch, index, moment)
        outcome.append(_told(_looked(servers, boards, reasons, values), are_named=bool(files)))
    return outcome[0]


def _boards(files: Sequence[Path], chosen: dict[str, str]) -> "list[tuple[str, Dashboard]] | None":
    """Dashboards with their paths; None where there are mistakes, which are printed."""
    from sereno_backends.grafana import DashboardInvalid, read_dashboard

    from sereno_cli.dashboard_files import load_dashboards

    documents = load_dashboards(files, "sereno dashboards check")
    if documents is None:
        return None
    boards = []
    for document in documents:
        try:
            boards.append((document.path, read_dashboard(document.text)))
        except DashboardInvalid as error:
            _invalid(f"{document.path}: {error}")
            return None
    if unknown := set(chosen).difference(each.name for _, board in boards for each in board.variables):
        _invalid(f"--set: no dashboard has a variable {min(unknown)}")
        return None
    return boards


def _invalid(message: str) -> ExitCode:
    from sereno_cli.plain_text import plain

    click.echo(plain(f"sereno dashboards check: {message}"), err=True)
    return ExitCode.INVALID_INPUT


@contextmanager
def _answering() -> Iterator[list[ExitCode]]:
    """The one exit code, put into the list; servers that don't answer are messages and a code of their own."""
    from sereno_backends.logs import LogStoreError, LogStoreRefused
    from sereno_backends.prometheus import PrometheusAddressInvalid, PrometheusError

    outcome: list[ExitCode] = []
    try:
        yield outcome
    except (PrometheusAddressInvalid, LogStoreRefused) as error:
        outcome.append(_invalid(str(error)))
    except (PrometheusError, LogStoreError) as error:
        _invalid(str(error))
        outcome.append(ExitCode.UNREACHABLE)


def _servers(stack: ExitStack, url: str, elasticsearch: str | None, index: str, now: datetime) -> "Servers":
    from sereno_backends.prometheus import PrometheusClient
    from sereno_slo.dashboards_check import Servers

    prometheus = stack.enter_context(PrometheusClient(url, timeout_seconds=_ANSWER_SECONDS))
    if elasticsearch is None:
        return Servers(prometheus, None, now)
    from sereno_backends.logs.elasticsearch_lucene import ElasticsearchDocuments

    return Servers(prometheus, stack.enter_context(ElasticsearchDocuments(elasticsearch, index, os.environ)), now)


def _reasons(named: Path | None, boards: "Sequence[Dashboard]", *, are_all: bool) -> "Reasons | None":
    """Those of the named file, else of the repository's; None where there are mistakes, which are printed."""
    from sereno_slo import Diagnostic, has_errors, read_source
    from sereno_slo.dashboards_check import NO_REASONS, read_reasons, without_panel

    from sereno_cli.specs import print_diagnostics, repository_root

    root = repository_root()
    path = named or (None if root is None else root / _REASONS_FILE)
    if path is None or (named is None and not path.is_file()):
        return NO_REASONS
    source = read_source(path)
    if isinstance(source, Diagnostic):
        print_diagnostics([source], "nothing was asked")
        return None
    read = read_reasons(source)
    stale = without_panel(read.reasons, boards, are_all=are_all) if read.reasons else ()
    diagnostics = (*read.diagnostics, *stale)
    print_diagnostics(diagnostics, "nothing was asked")
    return None if has_errors(diagnostics) else read.reasons


def _looked(
    servers: "Servers", boards: "Sequence[tuple[str, Dashboard]]", reasons: "Reasons", chosen: dict[str, str]
) -> "list[Looked]":
    from dataclasses import replace

    from sereno_slo.dashboards_check import look

    from sereno_cli.backfill_screen import progress

    with progress(len(boards)) as (begin, asked):
        return list(look(replace(servers, asked=asked), boards, reasons, chosen=chosen, begin=begin))


def _told(looked: "Sequence[Looked]", *, are_named: bool) -> ExitCode:
    """Each query that is empty for no good reason, and how many were asked."""
    absent = [] if are_named else [each for each in looked if each.is_absent]
    present = [each for each in looked if each not in absent]
    bad = [(each.path, empty) for each in present for empty in each.empty if not empty.is_good]
    good = sum(empty.is_good for each in present for empty in each.empty)
    for path, empty in bad:
        click.echo(f"{path}: {empty}", err=True)
    if absent:
        click.echo(f"not on this server: {', '.join(each.dashboard.title for each in absent)}")
    if unasked := sum(each.unasked for each in present):
        click.echo(f"not asked: {unasked} {'query' if unasked == 1 else 'queries'} of logs; name --elasticsearch")
    asked = sum(each.asked for each in present)
    click.echo(
        f"{len(present)} dashboard{'s'[: len(present) != 1]}, {asked} {'query' if asked == 1 else 'queries'}: "
        f"{len(bad)} empty, {good} empty with a reason"
    )
    return ExitCode.ANSWER_IS_NO if bad else ExitCode.OK
