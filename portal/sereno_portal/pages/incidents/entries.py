"""What people write about an incident, from a form or as JSON, into the place where incidents are kept."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sereno_postmortems.entries import NotAnEntry, Submission, read_submission
from sereno_postmortems.requests import Unread
from sereno_postmortems.sources import EntryNotTaken, IncidentSourceUnreachable
from sereno_postmortems.store import Written

from sereno_portal.incident_shelf import IncidentShelf
from sereno_portal.web.access import Visitor

FIELDS = ("id", "kind", "text", "helped", "at", "corrects", "author")
_HELPED = {"yes": True, "no": False}
_UTC_MINUTES = len("2026-11-22T02:31")


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, also after it was refused."""

    values: Mapping[str, str]
    problems: tuple[str, ...] = ()
    """Why it was refused."""
    status_code: int = 200

    def value(self, name: str) -> str:
        """Of a field; empty where nothing was typed."""
        return self.values.get(name, "")


def blank(author: str = "") -> Typed:
    """A form in which nothing stands yet but an id of its own, so that it can be sent twice and counts once."""
    return Typed({"id": new_id(), "author": author})


def new_id() -> str:
    """Of an entry."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was written, or nobody knows whether it was."""

    status_code: int
    problems: tuple[str, ...]
    is_id_spent: bool = False
    """Whether what is sent next needs an id of its own."""

    def typed(self, fields: Mapping[str, str]) -> Typed:
        """The form once more, as it was filled in."""
        values = {name: fields.get(name, "") for name in FIELDS}
        if self.is_id_spent or not values["id"]:
            values["id"] = new_id()
        return Typed(values, self.problems, self.status_code)


def from_form(fields: Mapping[str, str]) -> bytes:
    """A form's fields as the JSON that entries are; what the browser leaves empty isn't told."""
    told: dict[str, Any] = {name: value for name in FIELDS if (value := fields.get(name, "").strip())}
    if "at" in told and len(told["at"]) == _UTC_MINUTES:
        told["at"] = f"{told['at']}:00Z"
    helped = _HELPED.get(told.pop("helped", ""))
    # The choice stands beside every kind of entry; only of what was tried it means something.
    if helped is not None and told.get("kind") == "mitigation":
        told["helped"] = helped
    return json.dumps(told).encode()


def written(  # noqa: PLR0911 - one for each reason to refuse
    shelf: IncidentShelf, incident_id: str, body: bytes | Unread, visitor: Visitor
) -> Written | Refused:
    """Write an entry in the visitor's name; the same entry again changes nothing."""
    if isinstance(body, Unread):
        return refused(body)
    read = read_submission(body)
    if isinstance(read, NotAnEntry):
        return Refused(422, read.problems)
    if not isinstance(read, Submission):
        return Refused(400, (f"the body isn't JSON: {read.reason}",))
    if visitor.user is not None and read.author not in (None, visitor.user):
        return Refused(403, (f"you are {visitor.user}: entries are written under one's own name",))
    if visitor.user is None and read.author is None:
        return Refused(422, ("author: your name is expected, because nobody has to log in here",))
    try:
        return shelf.write(incident_id, replace(read, author=visitor.user or read.author))
    except EntryNotTaken as error:
        return Refused(409, (str(error),), is_id_spent=True)
    except IncidentSourceUnreachable as error:
        return Refused(503, (str(error), "nobody knows whether it was written; sending it again is safe"))


def refused(why: Unread) -> Refused:
    """A body that wasn't taken."""
    match why:
        case Unread.FOREIGN_ORIGIN:
            return Refused(403, ("web pages of another origin may not post here",))
        case Unread.TOO_LARGE:
            return Refused(413, ("an entry is a few words; longer ones belong behind a link",))
        case Unread.TOO_SLOW:
            return Refused(408, ("the entry didn't come in time; nothing of it was written",))
        case Unread.BROKEN_OFF:
            return Refused(400, ("the connection ended before the body did",))
