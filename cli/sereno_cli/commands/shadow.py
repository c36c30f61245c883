"""`sereno shadow`: Sereno's alerts beside those of the rules that a team has."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_slo import Settings
    from sereno_slo.model import Service, ServiceLevelObjective
    from sereno_slo.shadow import Report

_ANSWER_SECONDS = 60.0
_DAY_MINUTES = 1440

_EPILOG = """\b
Examples:
  sereno shadow report --prometheus http://127.0.0.1:9090 --days 14
      two weeks of `shadow: true` beside Sloth's rules of the same names
  sereno shadow report shop.slo.yaml --prometheus … --rules pyrra --slo orders --their-slo shop-orders
      one SLO, which is called otherwise there
"""


class ReportRefused(Exception):  # noqa: N818 - reads as what happened
    """The arguments can't be used; the message says why and what to write."""


@click.group()
def command() -> None:
    """Compare Sereno's alerts with those of the rules that you have."""


@command.command(epilog=_EPILOG)
@click.argument("specs", nargs=-1, type=click.Path(path_type=Path), metavar="[SPEC…]")
@click.option("--prometheus", "url", required=True, metavar="URL", help="The server that evaluates both.")
@click.option("--days", type=click.IntRange(1, 366), default=14, show_default=True, help="So many days are compared.")
@click.option("--to", default="now", show_default=True, metavar="TIME", help="Up to then: RFC 3339, or 3h ago: 3h.")
@click.option("--rules", type=click.Choice(["sloth", "pyrra"]), default="sloth", show_default=True)
@click.option("--slo", "only", metavar="SERVICE/SLO", help="Only this SLO [all of the specs].")
@click.option("--their-service", metavar="NAME", help="The service's name in their rules [the same].")
@click.option("--their-slo", metavar="NAME", help="The SLO's name in their rules [the same]; for one SLO only.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
def report(  # noqa: PLR0917 - click passes them by name
    specs: tuple[Path, ...],
    url: str,
    days: int,
    to: str,
    rules: str,
    only: str | None,
    their_service: str | None,
    their_slo: str | None,
    format_: str,
    settings: Path | None,
) -> ExitCode:
    """Pages and tickets that Sereno and the existing rules told, matched; each difference with numbers.

    Sereno's alerts may be in the shadow (`alerting: {shadow: true}`) or not; both are read as the server recorded them
    (ALERTS). What only one of them told is shown with the events of its time, the budget that they spent, and what the
    other one's conditions lacked when they came nearest. docs/shadow.md tells how to read it.
    """
    from sereno_backends.prometheus import PrometheusAddressInvalid
    from sereno_slo.backtest import HistoryNotRead
    from sereno_slo.diagnostics import on_one_line

    from sereno_cli.specs import valid_specs

    valid = valid_specs(specs, settings)
    if valid is None:
        return ExitCode.INVALID_INPUT
    try:
        slos = _chosen(valid.services, only, their_slo)
        end_ms = _end_ms(to)
        names = (their_service, their_slo)
        reports = _reports(url, slos, valid.settings, end_ms=end_ms, days=days, rules=rules, names=names)
    except (ReportRefused, PrometheusAddressInvalid) as error:
        click.echo(f"sereno shadow report: {error}", err=True)
        return ExitCode.INVALID_INPUT
    except HistoryNotRead as error:
        click.echo(on_one_line(f"sereno shadow report: {error}; nothing was compared"), err=True)
        return ExitCode.UNREACHABLE
    _print(reports, format_)
    return ExitCode.OK


def _chosen(services: "Sequence[Service]", only: str | None, their_slo: str | None) -> "list[ServiceLevelObjective]":
    from difflib import get_close_matches

    journeys = [f"{journey.service}/{journey.name}" for service in services for journey in service.journeys]
    if only in journeys:
        raise ReportRefused(f"{only} is a journey, and reports are about SLOs; choose one of its steps")
    if journeys and only is None:
        click.echo(f"sereno shadow report: left out: {', '.join(journeys)}: reports are about SLOs", err=True)
    slos = [slo for service in services for slo in service.slos]
    names = [f"{slo.service}/{slo.name}" for slo in slos]
    of_that_name = [name for name in names if name.partition("/")[2] == only]
    if len(of_that_name) == 1:
        only = of_that_name[0]  # services may be left out where that is clear
    if only is not None and only not in names:
        nearest = get_close_matches(only, names, n=1)
        cure = f"did you mean {nearest[0]}?" if nearest else f"there is {', '.join(names)}"
        raise ReportRefused(f"no SLO is called {only}; {cure}")
    chosen = [slo for slo, name in zip(slos, names, strict=True) if only in (None, name)]
    if their_slo is not None and len(chosen) > 1:
        raise ReportRefused("--their-slo is the name of one SLO; choose it with --slo")
    return chosen


def _end_ms(to: str) -> int:
    from sereno_cli.moments import read_moment

    now = datetime.now(UTC)
    try:
        end = read_moment(to, now)
    except ValueError as error:
        raise ReportRefused(f"--to: {error}") from error
    if end > now:
        raise ReportRefused(f"--to {to} lies in the future")
    return int(end.timestamp()) // 60 * 60_000


def _reports(
    url: str,
    slos: "Sequence[ServiceLevelObjective]",
    settings: "Settings",
    *,
    end_ms: int,
    days: int,
    rules: str,
    names: tuple[str | None, str | None],
) -> "list[Report]":
    from sereno_backends.prometheus import PrometheusClient
    from sereno_slo.backtest.asking import MINUTE_MS, Minutes
    from sereno_slo.history import Reader
    from sereno_slo.shadow import RIVALS
    from sereno_slo.shadow import report as compared

    from sereno_cli.backtest_screen import progress

    count = days * _DAY_MINUTES
    minutes = Minutes(end_ms - count * MINUTE_MS, count)
    reports = []
    with PrometheusClient(url, timeout_seconds=_ANSWER_SECONDS) as client, progress() as (begin, advance, ask):
        for slo in slos:
            begin(f"{slo.service}/{slo.name}")
            reader = Reader(client, ask)
            reports.append(compared(slo, settings, reader, minutes, rival=RIVALS[rules], names=names, progress=advance))
    return reports


def _print(reports: "Sequence[Report]", format_: str) -> None:
    import orjson
    from sereno_slo.shadow import as_document

    from sereno_cli.shadow_screen import print_report

    if format_ == "json":
        click.echo(orjson.dumps(as_document(reports), option=orjson.OPT_INDENT_2).decode())
        return
    for place, one in enumerate(reports):
        if place:
            click.echo()
        print_report(one)
