"""Frequent messages that differ in numbers, ids and names only, counted as one; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sereno_backends.logs.fingerprint import Fingerprint, fingerprint
from sereno_backends.logs.model import MessageCount


@dataclass(frozen=True, slots=True)
class MessageGroup:
    """Messages of one fingerprint and level."""

    fingerprint: Fingerprint
    level: str
    count: int
    different_messages: int
    first: datetime
    last: datetime
    message: str
    """Its most frequent message."""
    trace_id: str | None
    """A trace of the newest message that has one."""
    error_type: str | None


def grouped(counts: Iterable[MessageCount]) -> tuple[MessageGroup, ...]:
    """The groups of some messages, most frequent first.

    What a store left out of `counts` (it answers with the most frequent messages only) is missing here, too.
    """
    members: dict[tuple[str, str], list[MessageCount]] = {}
    prints: dict[tuple[str, str], Fingerprint] = {}
    for one in counts:
        found = fingerprint(one.message, one.error_type)
        key = found.identity, one.level
        prints[key] = found
        members.setdefault(key, []).append(one)
    groups = (_group(prints[key], together) for key, together in members.items())
    return tuple(sorted(groups, key=lambda group: (-group.count, group.fingerprint.template, group.level)))


def _group(found: Fingerprint, members: list[MessageCount]) -> MessageGroup:
    frequent = min(members, key=lambda one: (-one.count, one.message))
    traced = max((one for one in members if one.trace_id), key=lambda one: one.last, default=frequent)
    return MessageGroup(
        fingerprint=found,
        level=frequent.level,
        count=sum(one.count for one in members),
        different_messages=len(members),
        first=min(one.first for one in members),
        last=max(one.last for one in members),
        message=frequent.message,
        trace_id=traced.trace_id,
        error_type=frequent.error_type,
    )
