"""`sereno backtest`: the pages and tickets that a spec would have sent."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sereno_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sereno_slo import Settings
    from sereno_slo.backtest import Asked, Backtest, OtherSpec
    from sereno_slo.backtest.incidents import Incident
    from sereno_slo.model import Service, ServiceLevelObjective

# Prometheus gives a question two minutes by default; an answer may take as long.
_ANSWER_SECONDS = 130.0

_EPILOG = """\b
Examples:
  sereno backtest slo/specs/checkout.slo.yaml --prometheus http://127.0.0.1:9090 --days 30
      every page and ticket of the last 30 days, other objectives, other policies
  sereno backtest checkout.slo.yaml --prometheus … --slo availability --incidents incidents.yaml --html report.html
      precision, recall and detection time against what people remember; a page with pictures
  sereno backtest new.slo.yaml --prometheus … --compare old.slo.yaml --format json
      two specs of the same SLO side by side, for a script
"""


class BacktestRefused(Exception):  # noqa: N818 - reads as what happened
    """The arguments can't be used; the message says why and what to write."""


@click.command(epilog=_EPILOG)
@click.argument("spec", type=click.Path(path_type=Path), metavar="SPEC")
@click.option("--prometheus", "url", required=True, metavar="URL", help="The server that has the raw series.")
@click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, help="So many days are replayed and judged."
)
@click.option("--to", default="now", show_default=True, metavar="TIME", help="Up to then: RFC 3339, or 3h ago: 3h.")
@click.option("--recorded", is_flag=True, help="Read what rules have recorded, not raw series: seconds for months.")
@click.option("--slo", "only", metavar="NAME", help="Only this SLO [all of the spec].")
@click.option(
    "--incidents",
    "incidents_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Known incidents (YAML), to judge pages by.",
)
@click.option(
    "--compare", type=click.Path(path_type=Path), metavar="FILE", help="Another spec of the same SLOs, side by side."
)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with pictures, too.")
@click.option("--settings", type=click.Path(path_type=Path), help="Defaults for all specs [the nearest sereno.yaml].")
def command(  # noqa: PLR0917 - click passes them by name
    spec: Path,
    url: str,
    days: int,
    to: str,
    recorded: bool,
    only: str | None,
    incidents_file: Path | None,
    compare: Path | None,
    format_: str,
    html: Path | None,
    settings: Path | None,
) -> ExitCode:
    """Replay a spec over recorded history: every page and ticket that it would have sent, and why.

    Raw series are read, and the very rules that `sereno compile` writes are evaluated on them, minute by minute;
    nothing has to be installed on the server. Before the period as much is read as fills the SLO's window and a week.
    docs/backtest.md tells how, what it costs, and what it can't know. Exit code 1: no event was seen in the period.
    """
    from sereno_backends.prometheus import PrometheusAddressInvalid
    from sereno_slo.backtest import HistoryNotRead
    from sereno_slo.diagnostics import on_one_line

    try:
        loaded = _loaded(spec, settings)
        other = None if compare is None else _loaded(compare, settings)
        if loaded is None or (compare is not None and other is None):
            return ExitCode.INVALID_INPUT
        asked = _asked(to, days)
        _check_place(html)
        slos = _chosen(loaded[0], only)
        incidents = _incidents(incidents_file, [slo.name for slo in loaded[0].slos], asked)
        if incidents is None:
            return ExitCode.INVALID_INPUT
        others = {} if other is None or compare is None else _others(slos, other, str(compare), recorded=recorded)
        backtests = _backtests(url, slos, loaded[1], asked, incidents=incidents, others=others, recorded=recorded)
        _finish(backtests, format_, html)
        is_seen = any(each.attained_ratio is not None for each in backtests)
    except (BacktestRefused, PrometheusAddressInvalid) as error:
        click.echo(f"sereno backtest: {error}", err=True)
        return ExitCode.INVALID_INPUT
    except HistoryNotRead as error:
        click.echo(on_one_line(f"sereno backtest: {error}; nothing was replayed"), err=True)
        return ExitCode.UNREACHABLE
    return ExitCode.OK if is_seen else ExitCode.ANSWER_IS_NO


def _loaded(spec: Path, settings_file: Path | None) -> "tuple[Service, Settings] | None":
    """The spec's service; None where it has mistakes, which are printed."""
    from sereno_cli.specs import valid_specs

    valid = valid_specs([spec], settings_file)
    if valid is None:
        return None
    if len(valid.services) != 1:
        raise BacktestRefused(f"{spec} holds {len(valid.services)} specs; name one file")
    return valid.services[0], valid.settings


def _asked(to: str, days: int) -> "Asked":
    from sereno_slo.backtest import Asked

    from sereno_cli.moments import read_moment

    now = datetime.now(UTC)
    try:
        end = read_moment(to, now)
    except ValueError as error:
        raise BacktestRefused(f"--to: {error}") from error
    if end > now:
        raise BacktestRefused(f"--to {to} lies in the future")
    return Asked(int(end.timestamp()) // 60 * 60_000, days)


def _chosen(service: "Service", only: str | None) -> "list[ServiceLevelObjective]":
    from difflib import get_close_matches

    names = [slo.name for slo in service.slos]
    name = None if only is None else only.removeprefix(f"{service.name}/")
    why = "they read no raw series; backtest their steps"
    if name in (journeys := [journey.name for journey in service.journeys]):
        raise BacktestRefused(f"{name} is a journey, and journeys can't be replayed: {why}")
    if journeys and name is None:
        click.echo(f"sereno backtest: left out: {', '.join(journeys)}: journeys can't be replayed: {why}", err=True)
    if name is not None and name not in names:
        nearest = get_close_matches(name, names, n=1)
        cure = f"did you mean {nearest[0]}?" if nearest else f"there is {', '.join(names)}"
        raise BacktestRefused(f"no SLO of {service.name} is called {only}; {cure}")
    return [slo for slo in service.slos if name in (None, slo.name)]


def _incidents(file: Path | None, slos: "Sequence[str]", asked: "Asked") -> "tuple[Incident, ...] | None":
    """The known incidents; None where the file has mistakes, which are printed."""
    from sereno_slo import Diagnostic, has_errors, read_source
    from sereno_slo.backtest import read_incidents

    from sereno_cli.specs import print_diagnostics

    if file is None:
        return ()
    source = read_source(file)
    if isinstance(source, Diagnostic):
        print_diagnostics([source])
        return None
    incidents, diagnostics = read_incidents(source, slos, asked.begin_ms, asked.end_ms)
    print_diagnostics(diagnostics)
    return None if has_errors(diagnostics) else incidents


def _others(
    slos: "Sequence[ServiceLevelObjective]", other: "tuple[Service, Settings]", name: str, *, recorded: bool
) -> "dict[str, OtherSpec]":
    """The other spec's SLOs of the same names."""
    from sereno_slo.backtest import OtherSpec

    service, settings = other
    found = {slo.name: OtherSpec(name, slo, settings) for slo in service.slos}
    missing = [slo.name for slo in slos if slo.name not in found]
    if missing:
        raise BacktestRefused(f"{name} has no SLO {missing[0]}; it has {', '.join(found)} (choose one with --slo)")
    counted = [slo.name for slo in slos if found[slo.name].slo.indicator != slo.indicator]
    if recorded and counted:
        raise BacktestRefused(f"{name} counts {counted[0]} in another way, which isn't recorded: leave --recorded out")
    return found


def _backtests(
    url: str,
    slos: "Sequence[ServiceLevelObjective]",
    settings: "Settings",
    asked: "Asked",
    *,
    incidents: "Sequence[Incident]",
    others: "dict[str, OtherSpec]",
    recorded: bool,
) -> "list[Backtest]":
    from sereno_backends.prometheus import PrometheusClient
    from sereno_slo.backtest import collected, recorded_entries, run_backtest
    from sereno_slo.history import Reader

    from sereno_cli.backtest_screen import progress

    backtests = []
    with PrometheusClient(url, timeout_seconds=_ANSWER_SECONDS) as client, progress() as (begin, advance, ask):
        for slo in slos:
            begin(f"{slo.service}/{slo.name}")
            rivals = [others[slo.name]] if slo.name in others else []
            reader = Reader(client, ask)
            backtests.append(
                run_backtest(
                    slo,
                    settings,
                    reader,
                    asked,
                    incidents=incidents,
                    others=rivals,
                    progress=advance,
                    collect=recorded_entries if recorded else collected,
                )
            )
    return backtests


def _finish(backtests: "Sequence[Backtest]", format_: str, html: Path | None) -> None:
    import orjson
    from sereno_slo.backtest import as_document, as_html

    from sereno_cli.backtest_screen import print_backtests

    if html is not None:
        _write(html, as_html(backtests))
    if format_ == "json":
        click.echo(orjson.dumps(as_document(backtests), option=orjson.OPT_INDENT_2).decode())
    else:
        print_backtests(backtests)
    if html is not None:
        click.echo(f"{html} has it with pictures", err=True)


def _check_place(html: Path | None) -> None:
    """Told before minutes of reading, not after them."""
    if html is not None and not html.parent.is_dir():
        raise BacktestRefused(f"--html {html} can't be written: there is no folder {html.parent}")


def _write(path: Path, text: str) -> None:
    from sereno_slo.writing import replace_file

    try:
        replace_file(path, text)
    except OSError as error:
        raise BacktestRefused(f"--html {path} can't be written: {error.strerror}") from error
