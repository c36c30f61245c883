"""`sereno incidents report` and `sereno handover`: what many incidents say together."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sereno_cli.exit_codes import ExitCode
from sereno_cli.incident_places import open_place, place_options, say, unreachable
from sereno_cli.moments import read_moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sereno_backends.incidents import Incident
    from sereno_postmortems.reports import BudgetLeft, Unasked
    from sereno_postmortems.reports.handover import Budgets, Silences

_NEARLY_GONE = 0.25
_ANSWER_SECONDS = 10.0

Command = TypeVar("Command", bound=Callable[..., Any])


def _zone_option(command: Command) -> Command:
    return click.option(
        "--timezone",
        default="UTC",
        show_default=True,
        envvar="SERENO_TIMEZONE",
        show_envvar=True,
        metavar="NAME",
        help="Where the people on call live, such as Europe/Madrid.",
    )(command)


@click.command()
@click.option("--month", metavar="YYYY-MM", help="Which month.  [default: this one, so far]")
@_zone_option
@click.option(
    "--noise-within",
    default="30m",
    show_default=True,
    metavar="DURATION",
    help="A page without any action is noise if it ended so soon.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it here, its charts beside it.")
@click.option("--format", "form", type=click.Choice(["markdown", "json"]), default="markdown", show_default=True)
@place_options
def report(  # noqa: PLR0917 - click passes them by name
    month: str | None,
    timezone: str,
    noise_within: str,
    out: Path | None,
    form: str,
    database: Path | None,
    incidents: str | None,
) -> ExitCode:
    """Report a month: incidents by week, MTTA, MTTR, worst SLOs, pages per person and night, noise.

    \b
      sereno incidents report
      sereno incidents report --month 2026-11 --timezone Europe/Madrid --out reports/2026-11.md
      sereno incidents report --month 2026-11 --format json

    Everything is computed from the record. Without --out the report goes to standard output, without charts; with it
    they are SVG files beside it. Noise is a page that nobody acted on and that ended within --noise-within. Night is
    22:00 to 07:00 of --timezone. docs/incident-figures.md tells how each figure is computed.

    Exit codes: 0 reported, 2 wrong arguments, 3 the incidents can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_postmortems.reports import Rules, charts_of, month_of, render_report, summary_of
    from sereno_postmortems.reports.monthly import chart_files

    now = datetime.now(UTC)
    rules = Rules(_zone(timezone), noise_within=_duration(noise_within))
    try:
        period = month_of(month or f"{now.astimezone(rules.zone):%Y-%m}", rules.zone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--month") from error
    summary = summary_of(_all(database, incidents), period, rules, now)
    if form == "json":
        from sereno_cli.json_text import json_text

        return _told(json_text(summary), out, {})
    charts = charts_of(summary) if out is not None else ()
    files = {} if out is None else chart_files(charts, out.stem)
    return _told(render_report(summary, rules, now, files), out, {files[chart.name]: chart.svg for chart in charts})


@click.command()
@click.option("--since", default="8h", show_default=True, metavar="TIME", help="When the shift began: RFC 3339, or 8h.")
@_zone_option
@click.option("--alertmanager", metavar="URL", help="Ask it what is silenced.")
@click.option(
    "--prometheus",
    metavar="URL",
    envvar="SERENO_PROMETHEUS_URL",
    show_envvar=True,
    help="Ask it whose budget is nearly gone.",
)
@place_options
def handover(  # noqa: PLR0917 - click passes them by name
    since: str,
    timezone: str,
    alertmanager: str | None,
    prometheus: str | None,
    database: Path | None,
    incidents: str | None,
) -> ExitCode:
    """Print the shift's summary for the next person, in Markdown.

    \b
      sereno handover
      sereno handover --since 12h --timezone Europe/Madrid --alertmanager http://127.0.0.1:9093
      sereno handover --since 2026-11-22T22:00:00Z --prometheus http://127.0.0.1:9090

    Open incidents come first, with who took them on, what was tried and whether it helped, runbook and dashboard; then
    what ended, what is silenced, and whose error budget has less than a quarter left. A server that doesn't answer is
    told in its place: the rest is handed over all the same.

    Exit codes: 0 printed, 2 wrong arguments, 3 the incidents can't be reached.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    from sereno_postmortems.reports import handover_of, render_handover

    now, zone = datetime.now(UTC), _zone(timezone)
    try:
        begin = read_moment(since, now)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from error
    known = _all(database, incidents)
    silences, budgets = _silences(alertmanager), _budgets(prometheus, now)
    found = handover_of(known, since=begin, now=now, silences=silences, budgets=budgets)
    click.echo(render_handover(found, zone), nl=False)
    return ExitCode.OK


def _all(database: Path | None, incidents: str | None) -> "tuple[Incident, ...]":
    from sereno_postmortems.sources import IncidentSourceUnreachable

    try:
        return tuple(open_place(database, incidents).incidents())
    except IncidentSourceUnreachable as error:
        raise unreachable(error) from error


def _zone(name: str) -> tzinfo:
    """By the package tzdata, as everywhere: not by the machine's own time zones."""
    if name == "UTC":
        return UTC
    from sereno_slo.calendars import zone_info, zone_names

    if name not in zone_names():
        told = f"{name} is not known here; write a name such as Europe/Madrid, or UTC"
        raise click.BadParameter(told, param_hint="--timezone")
    return zone_info(name)


def _duration(text: str) -> timedelta:
    from sereno_slo.duration import Duration

    try:
        return timedelta(milliseconds=Duration.parse(text).milliseconds)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(f"{text!r} is no duration; write 30m", param_hint="--noise-within") from error


def _silences(url: str | None) -> "Silences":
    from sereno_backends.alertmanager import AlertmanagerAddressInvalid, AlertmanagerUnreachable, active_silences
    from sereno_postmortems.reports import Unasked

    if url is None:
        return Unasked("nobody was asked (--alertmanager URL)")
    try:
        return active_silences(url)
    except AlertmanagerAddressInvalid as error:
        raise click.BadParameter(str(error), param_hint="--alertmanager") from error
    except AlertmanagerUnreachable as error:
        return _unanswered(error)


def _budgets(url: str | None, now: datetime) -> "Budgets":
    from sereno_backends.prometheus import PrometheusAddressInvalid, PrometheusClient, PrometheusError
    from sereno_postmortems.reports import BudgetLeft, Unasked

    if url is None:
        return Unasked("nobody was asked (--prometheus URL)")
    try:
        with PrometheusClient(url, timeout_seconds=_ANSWER_SECONDS) as client:
            samples = client.instant(f"sereno:error_budget_remaining:ratio < {_NEARLY_GONE}", now)
    except PrometheusAddressInvalid as error:
        raise click.BadParameter(str(error), param_hint="--prometheus") from error
    except PrometheusError as error:
        return _unanswered(error)
    found = [
        BudgetLeft(sample.labels.get("service", ""), sample.labels.get("slo", ""), sample.value)
        for sample in samples
        if sample.is_finite
    ]

    def worst(one: "BudgetLeft") -> tuple[float, str, str]:
        return one.remaining_ratio, one.service, one.slo

    return tuple(sorted(found, key=worst))


def _unanswered(error: Exception) -> "Unasked":
    from sereno_postmortems.reports import Unasked

    say(f"warning: {error}")
    return Unasked(str(error))


def _told(text: str, out: Path | None, beside: "Mapping[str, str]") -> ExitCode:
    """Print it; or write it and what belongs beside it, and print the paths."""
    if out is None:
        click.echo(text, nl=False)
        return ExitCode.OK
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        for path, content in {out: text, **{out.with_name(name): each for name, each in beside.items()}}.items():
            path.write_text(content, encoding="utf-8")
            click.echo(path)
    except OSError as error:
        say(f"{error.filename} can't be written: {error.strerror}; name another file with --out")
        return ExitCode.INVALID_INPUT
    return ExitCode.OK
