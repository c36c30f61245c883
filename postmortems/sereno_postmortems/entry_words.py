"""What people did, in words: the same on an incident's page and in a draft."""

from sereno_backends.incidents import EntryKind, IncidentEntry

_DID = {
    EntryKind.ACKNOWLEDGEMENT: "took it on",
    EntryKind.NOTE: "noted",
    EntryKind.MITIGATION: "tried",
    EntryKind.SEVERITY: "says how bad it is",
    EntryKind.IMPACT: "says what users feel",
    EntryKind.LINK: "added a link",
    EntryKind.ASSIGNMENT: "called",
    EntryKind.RESOLUTION: "closed it",
    EntryKind.WITHDRAWAL: "took an entry back",
}
_HELPED = {True: ": it helped", False: ": it didn't help", None: ""}


def deed_of(entry: IncidentEntry) -> str:
    """Who did what; `text` of the entry says more."""
    called = f" {', '.join(entry.people)}" if entry.people else ""
    return f"{entry.author} {_DID[entry.kind]}{called}{_HELPED[entry.helped]}"
