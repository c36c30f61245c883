"""What people write about an incident, as it comes in, and what in the record it hangs on.

Ids of incidents may be renumbered by a late delivery, so an entry hangs on one time of firing: fingerprint and start of
an alert never change, and each belongs to exactly one incident of its subject, whatever arrives afterwards.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)
from sereno_backends.incidents import EntryKind, Incident, IncidentAlert, IncidentEntry

from sereno_postmortems.webhook import NotJson, in_calendar, problems_of

ENTRY_ID = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
PAGERDUTY_PREFIX = "pagerduty-"
"""How the ids of entries begin that PagerDuty made; nobody else may use them up."""
LONGEST_TEXT = 10_000
LONGEST_AUTHOR = 200
CLOCKS_DIFFER = timedelta(minutes=5)
"""So far ahead of our clock a time may be; what is further ahead is a mistake."""

_ENTRY = TypeAdapter(IncidentEntry)


@dataclass(frozen=True, slots=True)
class Anchor:
    """One time of firing of one subject."""

    subject: Mapping[str, str]
    """The incident's labels: the same alert may be in groups of several."""
    fingerprint: str
    starts_at: datetime

    def holds(self, incident: Incident) -> bool:
        """Whether the incident is the one with this time of firing."""
        return incident.group_labels == self.subject and any(
            (alert.fingerprint, alert.starts_at) == (self.fingerprint, self.starts_at) for alert in incident.alerts
        )


@dataclass(frozen=True, slots=True)
class AnchoredEntry:
    """An entry and what it hangs on."""

    entry: IncidentEntry
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody wants to be written down; not yet said when it is written, or who is trusted to be its author."""

    entry_id: str
    kind: EntryKind
    text: str
    author: str | None
    happened_at: datetime | None
    helped: bool | None = None
    corrects: str | None = None


@dataclass(frozen=True, slots=True)
class NotAnEntry:
    """The body is JSON, but no entry."""

    problems: tuple[str, ...]
    """Each `where: what`."""


Submitted: TypeAlias = Submission | NotAnEntry | NotJson


def read_submission(body: bytes) -> Submitted:
    """Read one body. Whatever comes in, one of the three values comes out; nothing is raised for a bad body."""
    try:
        told = _Body.model_validate_json(body)
    except ValidationError as error:
        read = problems_of(error)
        return read if isinstance(read, NotJson) else NotAnEntry(read)
    wrong = tuple(_contradictions(told))
    if wrong:
        return NotAnEntry(wrong)
    return Submission(told.id, EntryKind(told.kind), told.text, told.author, told.at, told.helped, told.corrects)


def submission_body(submission: Submission) -> dict[str, Any]:
    """The inverse, as clients send it."""
    told = {
        "id": submission.entry_id,
        "kind": submission.kind.value,
        "text": submission.text,
        "author": submission.author,
        "at": None if submission.happened_at is None else submission.happened_at.isoformat(),
        "helped": submission.helped,
        "corrects": submission.corrects,
    }
    return {name: value for name, value in told.items() if value is not None}


def still_to_come(submission: Submission, now: datetime) -> str | None:
    """The mistake of an entry about the future; None where there is none."""
    if submission.happened_at is None or submission.happened_at <= now + CLOCKS_DIFFER:
        return None
    return f"at: {submission.happened_at.isoformat()} is still to come; it is {now.isoformat(timespec='seconds')}"


def entry_of(
    submission: Submission, author: str, now: datetime, corrected: IncidentEntry | None = None
) -> IncidentEntry:
    """The entry as it is kept; `now` is when it is written.

    Where nothing is said about it, it happened now; a correction when what it corrects happened.
    """
    is_correction = corrected is not None and submission.kind is not EntryKind.WITHDRAWAL
    usual = corrected.happened_at if corrected is not None and is_correction else now
    return IncidentEntry(
        entry_id=submission.entry_id,
        kind=submission.kind,
        author=author,
        happened_at=submission.happened_at or usual,
        written_at=now,
        text=submission.text,
        helped=submission.helped,
        corrects=submission.corrects,
    )


def anchored(incident: Incident, entry: IncidentEntry) -> AnchoredEntry:
    """The entry on the alert that had begun last when it happened; on the first one, if it happened before."""
    begun = [alert for alert in incident.alerts if alert.starts_at <= entry.happened_at]

    def age(alert: IncidentAlert) -> tuple[datetime, str]:
        return alert.starts_at, alert.fingerprint

    alert = max(begun, key=age, default=min(incident.alerts, key=age))
    return AnchoredEntry(entry, Anchor(dict(incident.group_labels), alert.fingerprint, alert.starts_at))


def is_again(kept: IncidentEntry, submission: Submission, author: str) -> bool:
    """Whether the submission is the kept entry, sent once more."""
    same_time = submission.happened_at in (None, kept.happened_at)
    told = (submission.kind, author, submission.text, submission.helped, submission.corrects)
    return same_time and told == (kept.kind, kept.author, kept.text, kept.helped, kept.corrects)


def entry_text(entry: IncidentEntry) -> str:
    """The entry as the database keeps it."""
    return json.dumps(_ENTRY.dump_python(entry, mode="json"))


def entry_from_text(text: str) -> IncidentEntry:
    """The inverse."""
    return _ENTRY.validate_json(text)


def _printable(text: str) -> str:
    """Without spaces around it; line breaks and tabs may be in it."""
    text = text.replace("\r\n", "\n").strip()
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text):
        raise ValueError("control characters can't be kept")
    return text


def _no_nothing(text: str) -> str:
    if not text:
        raise ValueError("some words are expected")
    return text


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("one line is expected")
    return text


def _moment(value: Any) -> Any:
    """Only texts are times: a number may be of any unit."""
    if not isinstance(value, str):
        raise ValueError("a time like 2026-11-22T02:31:00Z is expected")  # noqa: TRY004 - pydantic reports ValueErrors
    return value


def _not_pagerdutys(entry_id: str) -> str:
    if entry_id.startswith(PAGERDUTY_PREFIX):
        raise ValueError(f"ids that begin with {PAGERDUTY_PREFIX} are PagerDuty's")
    return entry_id


EntryId = Annotated[str, Field(pattern=f"^{ENTRY_ID}$")]
Author = Annotated[
    str,
    Field(max_length=LONGEST_AUTHOR),
    AfterValidator(_printable),
    AfterValidator(_no_nothing),
    AfterValidator(_one_line),
]
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_moment), AfterValidator(in_calendar)]


class _Body(BaseModel):
    """Unknown keys are mistakes: a misspelt `helped` must not be lost in silence."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: Annotated[EntryId, AfterValidator(_not_pagerdutys)]
    kind: Literal["acknowledgement", "note", "mitigation", "severity", "impact", "link", "withdrawal"]
    text: Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_printable)] = ""
    author: Author | None = None
    at: Moment | None = None
    helped: bool | None = None
    corrects: EntryId | None = None


def _contradictions(told: _Body) -> list[str]:
    """What each field alone doesn't show."""
    found = []
    if not told.text and told.kind not in {"acknowledgement", "withdrawal"}:
        found.append("text: some words are expected")
    if told.helped is not None and told.kind != "mitigation":
        found.append("helped: only a mitigation can have helped")
    if told.kind == "link" and not re.match(r"https?://[^\s/]+", told.text):
        found.append("text: a link begins with http:// or https://, words may follow its address")
    if told.kind == "withdrawal" and told.corrects is None:
        found.append("corrects: name the entry that is withdrawn")
    return found
