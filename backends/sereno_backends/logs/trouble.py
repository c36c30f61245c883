"""Why documents have to wait: nobody's fault who wrote them, and right to be tried again."""

from dataclasses import dataclass
from enum import StrEnum


class WaitReason(StrEnum):
    """What has to end before documents can be stored."""

    UNREACHABLE = "unreachable"
    """No answer, or none in time."""
    BUSY = "busy"
    """The server says: not now (429, 503, a failure of its own)."""
    BLOCKED = "blocked"
    """Indices are read-only (disk nearly full, an operator's block) or can't be made (shard limit)."""
    FORBIDDEN = "forbidden"
    """Wrong credentials or a missing privilege."""
    UNPREPARED = "unprepared"
    """The data stream has no template, or the template can't be installed."""
    NONSENSE = "nonsense"
    """An answer that no Elasticsearch gives: some other server, or half of an answer."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why documents wait."""

    reason: WaitReason
    message: str
    """One sentence for people: who says what, and the cure where there is one; no secrets."""
    may_be_stored: bool = False
    """The request may have been carried out although its answer didn't come."""
