"""What people did, in words: the same on an incident's page and in a draft."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sereno_backends.incidents import EntryKind, IncidentEntry

_DID = {
    EntryKind.ACKNOWLEDGEMENT: "{author} took it on",
    EntryKind.NOTE: "{author} noted",
    EntryKind.MITIGATION: "{author} tried",
    EntryKind.SEVERITY: "{author} says how bad it is",
    EntryKind.IMPACT: "{author} says what users feel",
    EntryKind.LINK: "{author} added a link",
    EntryKind.ASSIGNMENT: "{author} called",
    EntryKind.RESOLUTION: "{author} closed it",
    EntryKind.WITHDRAWAL: "{author} took an entry back",
}
_CALLED_PEOPLE = "{author} called {people}"
_HELPED = {True: "{author} tried: it helped", False: "{author} tried: it didn't help"}
SAYINGS = frozenset({*_DID.values(), _CALLED_PEOPLE, *_HELPED.values()})
"""All that `saying_of` says, for whoever translates it."""


@dataclass(frozen=True, slots=True)
class Saying:
    """A sentence that can be said in other languages; `str()` says it in English."""

    text: str
    """With places like `{author}`."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What stands in the places; may hold anything."""

    def __str__(self) -> str:
        return self.text.format_map(self.values)


def saying_of(entry: IncidentEntry) -> Saying:
    """Who did what; `text` of the entry says more."""
    values = {"author": entry.author}
    if entry.kind is EntryKind.ASSIGNMENT and entry.people:
        return Saying(_CALLED_PEOPLE, {**values, "people": ", ".join(entry.people)})
    if entry.kind is EntryKind.MITIGATION and entry.helped is not None:
        return Saying(_HELPED[entry.helped], values)
    return Saying(_DID[entry.kind], values)


def deed_of(entry: IncidentEntry) -> str:
    """The same in English."""
    return str(saying_of(entry))
