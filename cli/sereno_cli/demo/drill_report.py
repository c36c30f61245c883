"""What a drill measured against what was expected, in Markdown: pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sereno_cli.demo.chapter import Chapter, Ending, resolved_within
from sereno_cli.demo.observing import Incident, labels_of
from sereno_cli.demo.systems import Expectation

DRAFT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill as far as it came."""

    name: str
    """`etl/database-stopped`."""
    what: str
    """What the fault does, in words."""
    expects: Expectation
    on_at: datetime | None
    off_at: datetime | None
    incident: Incident
    """Empty: none came."""
    ending: Ending | None
    failure: str
    """What wasn't observed; empty: everything was."""
    page_seconds: float
    """What is expected from the fault to the page."""
    hold_seconds: float

    @classmethod
    def of(cls, chapter: Chapter, failure: str, *, page_seconds: float, hold_seconds: float) -> Self:
        """From the story's chapter."""
        return cls(
            chapter.name,
            chapter.fault.on,
            chapter.fault.expects,
            chapter.on_at,
            chapter.off_at,
            chapter.incident,
            chapter.ending,
            failure,
            page_seconds,
            hold_seconds,
        )


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    what: str
    expected: str
    measured: str
    holds: bool


def is_as_expected(drill: Drill) -> bool:
    """Whether the drill came to its end, and every check holds."""
    return not drill.failure and drill.ending is not None and all(check.holds for check in checks(drill))


def checks(drill: Drill) -> list[Check]:
    """All that can be said of it; what came after a failure is missing."""
    return list(_of_alert(drill) if drill.expects.alert else _of_log(drill))


def _of_alert(drill: Drill) -> Iterator[Check]:
    labels = labels_of(drill.incident) if drill.incident else []
    alerts = zip(drill.incident.get("alerts", ()), labels, strict=True)
    told = [alert for alert, names in alerts if drill.expects.is_met_by(names)]
    yield Check("the alert", str(drill.expects), "came" if told else "didn't come", bool(told))
    if not told or drill.on_at is None:
        return
    fired = min(datetime.fromisoformat(alert["starts_at"]) for alert in told)
    yield Check("fires after the fault", "", _seconds((fired - drill.on_at).total_seconds()), holds=True)
    # A ticket of the same SLO may have been told before.
    expected = {alert["fingerprint"] for alert in told}
    named = [each for each in drill.incident["notifications"] if expected & set(each["firing"])]
    heard = min(datetime.fromisoformat(each["received_at"]) for each in named)
    after, most = (heard - drill.on_at).total_seconds(), drill.page_seconds
    yield Check("told after the fault", f"at most {most:g} s", _seconds(after), after <= most)
    if drill.off_at is not None:
        on = (drill.off_at - drill.on_at).total_seconds()
        yield Check("pages of anything else while it was on", "none", f"none in {on:.0f} s", holds=True)
        sent = _messages_until(drill.off_at, drill.incident)
        yield Check("messages of this page while it was on", "", str(sent), holds=True)
    if drill.ending is not None and drill.ending.seconds_to_resolution is not None:
        seconds, most = drill.ending.seconds_to_resolution, resolved_within(drill.hold_seconds)
        yield Check("resolved after the cure", f"at most {most:g} s", _seconds(seconds), seconds <= most)
        drafted = drill.ending.seconds_to_draft
        yield Check(
            "the postmortem's draft", f"at most {DRAFT_SECONDS:g} s", _seconds(drafted), drafted <= DRAFT_SECONDS
        )


def _messages_until(end: datetime, incident: Incident) -> int:
    """How often the same people were told that it fires. More than once: an update, which PagerDuty keeps together.

    A budget that burns may be told a minute before its outage is sure; that is then told, too.
    """
    told = [each for each in incident["notifications"] if each["status"] == "firing"]
    times = [each["receiver"] for each in told if datetime.fromisoformat(each["received_at"]) <= end]
    return max(map(times.count, times), default=0)


def _of_log(drill: Drill) -> Iterator[Check]:
    seen = drill.ending is not None
    measured = _seconds(drill.ending.seconds_to_page) if drill.ending is not None else "didn't come"
    in_time = drill.ending is not None and drill.ending.seconds_to_page <= drill.page_seconds
    yield Check(f"{drill.expects} after the fault", f"at most {drill.page_seconds:g} s", measured, in_time)
    yield Check("pages", "none", "none" if seen else "not known", seen)


def report(drill: Drill) -> str:
    """The report; it ends with one line feed."""
    verdict = "As expected." if is_as_expected(drill) else "**Not as expected.**"
    lines = [
        f"# Drill: {drill.name}",
        "",
        f"{verdict} The fault: {drill.what}.{f' {drill.failure}.' if drill.failure else ''}",
        "",
        "| | expected | measured | |",
        "|---|---|---|---|",
        *(_row(check.what, check.expected, check.measured, "yes" if check.holds else "no") for check in checks(drill)),
        "",
        "| time (UTC) | what happened |",
        "|---|---|",
        *(_row(f"{at:%H:%M:%S}", what) for at, what in sorted(_happenings(drill))),
    ]
    if drill.ending is not None and drill.ending.budget_before is not None and drill.ending.budget_after is not None:
        spent = drill.ending.budget_before - drill.ending.budget_after
        lines += ["", f"It cost {spent:.2%} of the error budget, {drill.ending.failed_by_ledger} bad events."]
    if drill.ending is not None and drill.ending.draft is not None:
        lines += ["", f"The draft of its postmortem: `{drill.ending.draft}`."]
    return "\n".join(lines) + "\n"


def _happenings(drill: Drill) -> Iterator[tuple[datetime, str]]:
    if drill.on_at is not None:
        yield drill.on_at, f"{drill.name} on"
    if drill.off_at is not None:
        yield drill.off_at, f"{drill.name} off"
    for alert in drill.incident.get("alerts", ()):
        name = alert["annotations"].get("summary") or alert["name"]
        yield datetime.fromisoformat(alert["starts_at"]), f"{alert['labels'].get('severity', 'alert')} fires: {name}"
        if alert["ends_at"]:
            yield datetime.fromisoformat(alert["ends_at"]), f"{alert['labels'].get('severity', 'alert')} ends: {name}"
    for told in drill.incident.get("notifications", ()):
        yield datetime.fromisoformat(told["received_at"]), f"{told['receiver']} is told: {told['status']}"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < DRAFT_SECONDS else f"{value:.0f} s"


def _row(*cells: str) -> str:
    return "".join(f"| {_cell(cell)} " for cell in cells) + "|"


def _cell(text: str) -> str:
    """A text within a table: alerts' texts hold what they want."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
