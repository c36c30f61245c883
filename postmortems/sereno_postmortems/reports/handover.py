"""The handover of a shift: what is open first, then what ended, what is silenced, whose budget is nearly gone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TypeAlias

from sereno_backends.alertmanager import Silence
from sereno_backends.incidents import EntryKind, Incident, IncidentEntry

from sereno_postmortems.draft.markdown import address, escaped
from sereno_postmortems.draft.words import duration, percent
from sereno_postmortems.reports.summary import subject_of

_LINKS = (("Runbook", "runbook_url"), ("Dashboard", "dashboard_url"), ("Logs", "logs_url"))
_HELPED = {True: "helped: ", False: "didn't help: ", None: ""}
_SILENT_KINDS = (EntryKind.ACKNOWLEDGEMENT, EntryKind.RESOLUTION)


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """What is left of an SLO's error budget."""

    service: str
    slo: str
    remaining_ratio: float


@dataclass(frozen=True, slots=True)
class Unasked:
    """Why something isn't known: nobody was asked, or didn't answer."""

    reason: str


Silences: TypeAlias = tuple[Silence, ...] | Unasked
Budgets: TypeAlias = tuple[BudgetLeft, ...] | Unasked


@dataclass(frozen=True, slots=True)
class Handover:
    """What the next person has to know."""

    since: datetime
    now: datetime
    still_open: tuple[Incident, ...]
    """Whenever they were opened; the most severe and oldest first."""
    ended: tuple[Incident, ...]
    """Ended within the shift, by their ends."""
    silences: Silences
    budgets: Budgets
    """Those that are nearly gone, the worst first."""


def handover_of(
    incidents: Iterable[Incident], *, since: datetime, now: datetime, silences: Silences, budgets: Budgets
) -> Handover:
    """What of the record concerns a shift that began at `since`."""
    known = tuple(incidents)
    still_open = [one for one in known if one.resolved_at is None]
    ended = [(one.resolved_at, one) for one in known if one.resolved_at is not None and one.resolved_at >= since]
    return Handover(
        since=since,
        now=now,
        still_open=tuple(sorted(still_open, key=lambda one: (one.severity != "critical", one.opened_at))),
        ended=tuple(one for _, one in sorted(ended, key=lambda told: (told[0], told[1].incident_id))),
        silences=silences,
        budgets=budgets,
    )


def render_handover(handover: Handover, zone: tzinfo) -> str:
    """The handover in Markdown, times where the people live."""
    return "\n".join(_lines(handover, zone)) + "\n"


def _lines(handover: Handover, zone: tzinfo) -> Iterator[str]:
    yield f"# Handover of {_day(handover.now, zone)} ({zone})"
    yield ""
    yield f"Since {_day(handover.since, zone)}: {len(handover.still_open)} open, {len(handover.ended)} ended."
    yield ""
    yield f"## Open ({len(handover.still_open)})"
    yield ""
    if not handover.still_open:
        yield "Nothing."
        yield ""
    for incident in handover.still_open:
        yield from _open(incident, handover, zone)
    yield f"## Ended ({len(handover.ended)})"
    yield ""
    yield from _ended(handover, zone)
    yield "## Silenced"
    yield ""
    yield from _silenced(handover, zone)
    yield "## Budgets nearly gone"
    yield ""
    yield from _budgets(handover.budgets)


def _open(incident: Incident, handover: Handover, zone: tzinfo) -> Iterator[str]:
    lasted = duration(handover.now - incident.opened_at)
    yield f"### {escaped(incident.incident_id)}"
    yield ""
    yield (
        f"{escaped(subject_of(incident))}, {escaped(incident.severity) or 'no severity'}, since "
        f"{_day(incident.opened_at, zone)} ({lasted})"
    )
    yield ""
    for words in dict.fromkeys(_first_words(incident)):
        yield f"- {escaped(words)}"
    acknowledgement = incident.acknowledgement
    if acknowledgement is None:
        yield "- Acknowledged: **by nobody**"
    else:
        yield f"- Acknowledged: by {escaped(acknowledgement.author)}, {_day(acknowledgement.happened_at, zone)}"
    for entry in _in_order(incident.standing_entries):
        yield f"- {_told(entry, handover.now, zone)}"
    for name, annotation in _LINKS:
        for url in dict.fromkeys(filter(None, (alert.annotations.get(annotation) for alert in incident.alerts))):
            yield f"- {name}: {address(url)}"
    yield ""


def _first_words(incident: Incident) -> Iterator[str]:
    """What the page said: what users feel, and what fires."""
    firing = [alert for alert in incident.alerts if alert.ends_at is None]
    for alert in sorted(firing, key=lambda alert: alert.severity != "critical"):
        words = alert.annotations.get("summary") or alert.annotations.get("impact") or alert.name
        yield words


def _in_order(entries: Iterable[IncidentEntry]) -> list[IncidentEntry]:
    """What was tried and found, in the order of time; how bad it is before that."""
    told = [entry for entry in entries if entry.kind not in _SILENT_KINDS and (entry.text or entry.people)]
    bad_first = (EntryKind.IMPACT, EntryKind.SEVERITY)
    return sorted(told, key=lambda entry: (entry.kind not in bad_first, entry.happened_at))


def _told(entry: IncidentEntry, now: datetime, zone: tzinfo) -> str:
    helped = {True: ", helped", False: ", **didn't help**", None: ""}[entry.helped]
    kind = "Tried" if entry.kind is EntryKind.MITIGATION else entry.kind.value.capitalize()
    return f"{kind} ({_time(entry.happened_at, now, zone)}, {escaped(entry.author)}{helped}): {escaped(entry.text)}"


def _ended(handover: Handover, zone: tzinfo) -> Iterator[str]:
    if not handover.ended:
        yield "Nothing."
        yield ""
        return
    yield "| incident | severity | from | to | acknowledged by | tried |"
    yield "|---|---|---|---|---|---|"
    for incident in handover.ended:
        who = incident.acknowledgement
        tried = [
            f"{_HELPED[entry.helped]}{entry.text}"
            for entry in incident.standing_entries
            if entry.kind is EntryKind.MITIGATION
        ]
        yield (
            f"| {escaped(incident.incident_id)} | {escaped(incident.severity)} | {_day(incident.opened_at, zone)}"
            f" | {_day(incident.resolved_at or handover.now, zone)} | {escaped(who.author) if who else 'nobody'}"
            f" | {'; '.join(map(escaped, tried)) or '-'} |"
        )
    yield ""


def _silenced(handover: Handover, zone: tzinfo) -> Iterator[str]:
    if isinstance(handover.silences, Unasked):
        yield f"Not known: {escaped(handover.silences.reason)}."
    elif not handover.silences:
        yield "Nothing."
    else:
        yield "| what | until | by | why |"
        yield "|---|---|---|---|"
        for one in handover.silences:
            cells = (escaped(one.matchers), _day(one.ends_at, zone), escaped(one.created_by), escaped(one.comment))
            yield f"| {' | '.join(cells)} |"
    yield ""


def _budgets(budgets: Budgets) -> Iterator[str]:
    if isinstance(budgets, Unasked):
        yield f"Not known: {escaped(budgets.reason)}."
    elif not budgets:
        yield "None."
    else:
        yield "| SLO | left |"
        yield "|---|--:|"
        for one in budgets:
            yield f"| {escaped(f'{one.service}/{one.slo}')} | {percent(one.remaining_ratio)} |"


def _day(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _time(at: datetime, now: datetime, zone: tzinfo) -> str:
    """Without its day, where that is today."""
    there = at.astimezone(zone)
    return f"{there:%H:%M}" if there.date() == now.astimezone(zone).date() else f"{there:%Y-%m-%d %H:%M}"
