"""What `sereno validate --prometheus` shows: for each SLO its traffic, and what its alerts need by day and by night."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sereno_slo.history import Judgement
    from sereno_slo.model import BurnTier
    from sereno_slo.validate.feasibility import Feasibility, Reach

_OUTAGE = "outage"
_PAGE = "first page"


def print_judgement(judgement: "Judgement") -> None:
    """A line of figures and a table."""
    slo, feasibility = judgement.slo, judgement.feasibility
    click.echo(f"{slo.service}/{slo.name}: {slo.objective_percent:.10g} % over {slo.window}, mode {slo.alerting.mode}")
    if feasibility is None:
        click.echo("  no event was seen; nothing can be judged")
    else:
        for line in _traffic(judgement, feasibility):
            click.echo(f"  {line}")
    for line in _series(judgement):
        click.echo(f"  {line}")
    if feasibility is not None:
        _print_table(feasibility)
    click.echo()


def _traffic(judgement: "Judgement", feasibility: "Feasibility") -> Iterator[str]:
    from sereno_slo.validate.findings import counted_in_words
    from sereno_slo.validate.traffic import HOURS_OF_A_DAY

    traffic = feasibility.traffic
    counted = counted_in_words(judgement.slo)
    origin = "counted by the ledger" if judgement.sighting.is_from_ledger else "estimated from raw series"
    hour = f"{_number(traffic.usual * 12)} {counted} an hour"
    seen = f"{traffic.hours_seen} hour{'s' * (traffic.hours_seen != 1)}"
    young = "; the rest of the day is taken to be like them" if traffic.hours_seen < HOURS_OF_A_DAY else ""
    yield f"usual: {hour}, {origin} over {seen}{young}"
    day, night = (f"{_number(traffic.by_hour[hour])} from {hour:02}:00 UTC" for hour in (traffic.day, traffic.night))
    if traffic.day != traffic.night:
        yield f"busiest hour, day: {day}; quietest, night: {night}"
    if traffic.idle_hours:
        yield f"in {traffic.idle_hours} hours of the day nothing happens, and nothing can fail"


def _series(judgement: "Judgement") -> Iterator[str]:
    """What the server knows of the series, where there are any."""
    from sereno_slo.validate.selector_findings import no_errors_yet

    slo, survey = judgement.slo, judgement.survey
    if survey.reach is None or survey.targets is None:
        return
    window_days = slo.longest_window.seconds / 86_400
    reach = f"{min(survey.reach.days, window_days):.10g} of the window's {window_days:.10g} days"
    of = f"{_count(survey.total.series, 'series', 'series')} of {_count(survey.targets.targets, 'target', 'targets')}"
    yield f"raw series: {of}, for {reach}"
    if survey.in_total is not None and not survey.in_total.hours_above:
        yield f"parts: never more than the total in {survey.in_total.hours} hours"
    if silence := no_errors_yet(survey):
        yield f"bad events: {silence}"
    if survey.groups is not None and slo.group_by is not None:
        groups = _count(survey.groups.groups, "value", "values")
        by = ", ".join(slo.group_by.labels)
        yield f"groups: {groups} of {by}, at most {slo.group_by.limit}; alerts are judged for the whole"


def _count(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def _print_table(feasibility: "Feasibility") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("  alert", no_wrap=True)
    for moment in ("day", "night"):
        table.add_column(f"failures by {moment}", justify="right", no_wrap=True)
        table.add_column("full outage", justify="right", no_wrap=True)
    for alert in feasibility.alerts:
        table.add_row(f"  {_name(alert.tier)}", *_cells(alert.by_day), *_cells(alert.by_night))
    table.add_row(
        f"  {_PAGE}", "", _minutes(feasibility.page_by_day), "", _minutes(feasibility.page_by_night), style="bold"
    )
    # In a file or a pipe nothing is cut at 80 columns.
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(table)


def _name(tier: "BurnTier | None") -> str:
    return _OUTAGE if tier is None else f"{tier.severity} {tier.long}/{tier.short}"


def _cells(reach: "Reach") -> tuple[str, str]:
    of = f"{reach.failures:,} of {reach.events:,} in {reach.window}"
    share = f"{_share(reach.share)}" if reach.is_possible else "can't"
    return f"{of}, {share:>6}", _minutes(reach.outage_minutes)


def _share(share: float) -> str:
    return f"{share * 100:.2g} %" if share < 1 else f"{share * 100:.0f} %"


def _minutes(minutes: int | None) -> str:
    from sereno_slo.duration import MINUTE

    return "over a day" if minutes is None else str(MINUTE * minutes)


def _number(count: float) -> str:
    return f"{count:,.0f}" if count >= 10 else f"{count:.2g}"  # noqa: PLR2004 - two digits tell small numbers
