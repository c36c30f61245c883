"""The monthly report in Markdown. Nothing that a label or a person said can be markup in it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from sereno_postmortems.draft.markdown import escaped
from sereno_postmortems.draft.words import duration, plural
from sereno_postmortems.reports.charts import Chart
from sereno_postmortems.reports.figures import IncidentFigures, Rules
from sereno_postmortems.reports.summary import Spread, Summary, subject_of

WORST_SLOS = 10
MOST_NIGHTS = 12


def render_report(summary: Summary, rules: Rules, now: datetime, files: Mapping[str, str] | None = None) -> str:
    """The report.

    Args:
        summary: of the period.
        rules: by which its figures were made.
        now: when it is made.
        files: where the charts are, by their names, as addresses in the report; without them it has none.
    """
    return "\n".join(_lines(summary, rules, now, files or {})) + "\n"


def chart_files(charts: Sequence[Chart], stem: str) -> dict[str, str]:
    """A file's name for each chart, beside the report of that stem."""
    return {chart.name: f"{stem}-{chart.name}.svg" for chart in charts}


def _lines(summary: Summary, rules: Rules, now: datetime, files: Mapping[str, str]) -> Iterator[str]:
    period = summary.period
    yield f"# Incidents of {period.name}"
    yield ""
    so_far = f", so far: up to {_moment(now, rules)}" if now < period.end else ""
    yield f"Opened {_moment(period.begin, rules)} to {_moment(period.end, rules)} ({rules.zone}){so_far}."
    yield ""
    if not summary.incidents:
        yield "No incident was opened."
        return
    yield from _overview(summary, rules)
    yield from _by_week(summary, files)
    yield from _worst(summary)
    yield from _people(summary, files)
    yield from _noise(summary, rules)
    yield from _all(summary, rules)


def _overview(summary: Summary, rules: Rules) -> Iterator[str]:
    pages, still_open = summary.pages, sum(one.incident.resolved_at is None for one in summary.incidents)
    at_night = sum(one.night is not None for one in pages)
    yield "| | | |"
    yield "|---|--:|---|"
    tickets = len(summary.incidents) - len(pages)
    yield f"| Incidents | {len(summary.incidents)} | {plural(len(pages), 'page')}, {plural(tickets, 'ticket')} |"
    yield f"| Pages by night | {at_night} | {rules.night_begins:%H:%M} to {rules.night_ends:%H:%M} |"
    yield f"| Time to page, median | {_median(summary.page)} | from alert to notification{_longest(summary.page)} |"
    missing = (
        f"; {summary.unacknowledged} of {len(pages)} pages were not acknowledged" if summary.unacknowledged else ""
    )
    acknowledged = f"of {plural(summary.acknowledge.number, 'acknowledged page')}{_longest(summary.acknowledge)}"
    yield f"| MTTA, median | {_median(summary.acknowledge)} | {acknowledged}{missing} |"
    unresolved = f"; {still_open} still open" if still_open else ""
    yield (
        f"| MTTR, median | {_median(summary.resolve)} | of {summary.resolve.number} that ended"
        f"{_longest(summary.resolve)}{unresolved} |"
    )
    within = duration(rules.noise_within)
    yield f"| Noise | {len(summary.noise)} | pages that nobody acted on and that ended within {within} |"
    yield ""


def _by_week(summary: Summary, files: Mapping[str, str]) -> Iterator[str]:
    yield "## By week"
    yield ""
    yield from _picture("incidents-by-week", "Incidents by week", files)
    yield from _picture("medians-by-week", "Median minutes to acknowledge and to resolve, by week", files)
    yield "| week of | pages | tickets | MTTA | MTTR |"
    yield "|---|--:|--:|--:|--:|"
    for week in summary.weeks:
        times = f"{_median(week.acknowledge)} | {_median(week.resolve)}"
        yield f"| {week.monday} | {week.pages} | {week.tickets} | {times} |"
    yield ""


def _worst(summary: Summary) -> Iterator[str]:
    yield "## Worst SLOs"
    yield ""
    yield "| SLO | incidents | pages | time open |"
    yield "|---|--:|--:|--:|"
    for slo in summary.slos[:WORST_SLOS]:
        yield f"| {escaped(slo.name)} | {slo.incidents} | {slo.pages} | {duration(slo.time_open)} |"
    if len(summary.slos) > WORST_SLOS:
        yield f"| and {len(summary.slos) - WORST_SLOS} more | | | |"
    yield ""


def _people(summary: Summary, files: Mapping[str, str]) -> Iterator[str]:
    yield "## Pages per person and night"
    yield ""
    if not summary.people:
        yield "Nobody was paged."
        yield ""
        return
    yield from _picture("pages-by-night", "Pages by night", files)
    yield "Whose page it was: who acknowledged it, else whom PagerDuty called, else the owner's team."
    yield ""
    yield "| who | pages | by night | nights disturbed | worst night |"
    yield "|---|--:|--:|--:|---|"
    for person in summary.people:
        total = sum(number for _, number in person.by_night)
        worst = max(person.by_night, key=lambda told: (told[1], told[0]), default=None)
        told = "-" if worst is None else f"{worst[0]} ({worst[1]})"
        yield f"| {escaped(person.name)} | {person.pages} | {total} | {len(person.by_night)} | {told} |"
    yield ""


def _noise(summary: Summary, rules: Rules) -> Iterator[str]:
    yield "## Noise"
    yield ""
    if not summary.noise:
        yield "None: somebody acted on each page, or it lasted longer, or is still open."
        yield ""
        return
    yield (
        "Nobody acknowledged, noted, or tried anything, and they ended by themselves: candidates for a ticket, a "
        "higher threshold, or a longer window."
    )
    yield ""
    yield "| page | opened | lasted | alerts |"
    yield "|---|---|--:|---|"
    for one in summary.noise:
        names = ", ".join(dict.fromkeys(alert.name for alert in one.incident.alerts))
        yield (
            f"| {escaped(one.incident.incident_id)} | {_moment(one.incident.opened_at, rules)}"
            f" | {_length(one.time_to_resolve)} | {escaped(names)} |"
        )
    yield ""


def _all(summary: Summary, rules: Rules) -> Iterator[str]:
    yield "## All incidents"
    yield ""
    yield "| incident | SLO | severity | opened | to page | to acknowledge | to resolve | whose |"
    yield "|---|---|---|---|--:|--:|--:|---|"
    for one in summary.incidents:
        yield _row(one, rules)
    yield ""


def _row(one: IncidentFigures, rules: Rules) -> str:
    incident = one.incident
    cells = [
        escaped(incident.incident_id),
        escaped(subject_of(incident)),
        escaped(incident.severity),
        _moment(incident.opened_at, rules),
        _length(one.time_to_page),
        _length(one.time_to_acknowledge),
        _length(one.time_to_resolve) if incident.resolved_at is not None else "open",
        escaped(", ".join(one.people)),
    ]
    return f"| {' | '.join(cells)} |"


def _picture(name: str, words: str, files: Mapping[str, str]) -> Iterator[str]:
    if name in files:
        yield f"![{words}]({quote(files[name])})"
        yield ""


def _median(spread: Spread) -> str:
    return _length(spread.median)


def _longest(spread: Spread) -> str:
    return "" if spread.longest is None else f", at most {duration(spread.longest)}"


def _length(length: timedelta | None) -> str:
    return "-" if length is None else duration(length)


def _moment(at: datetime, rules: Rules) -> str:
    return f"{at.astimezone(rules.zone):%Y-%m-%d %H:%M}"
