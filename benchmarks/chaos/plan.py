"""Which process is struck when, and how: drawn by a seed, so that a run can be told again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

PARTS = ("transactions-api", "prometheus", "alertmanager", "incidents", "collector", "devops", "portal")
"""All processes but those that know the truth: the load, and who strikes."""
_LONGEST_OUTAGE_SECONDS = 20.0
_FIRST_SECONDS = (10.0, 45.0)
_REST_SECONDS = (35.0, 90.0)
_KILLED_SHARE = 0.7


class Kind(StrEnum):
    """What is done to a process."""

    KILL = "kill"
    """SIGKILL, and a start after a while."""
    FREEZE = "freeze"
    """SIGSTOP, and SIGCONT after a while: whoever asks it waits."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One of them."""

    part: str
    kind: Kind
    at_seconds: float
    lasts_seconds: float


def strikes(seconds: float, seed: int, parts: Sequence[str] = PARTS) -> tuple[Strike, ...]:
    """All strikes of a run that lasts so long, each part's independent of the others'; at least one of each part."""
    drawn = [strike for part in parts for strike in _of_part(part, seconds, Random(f"{seed}/{part}"))]
    return tuple(sorted(drawn, key=lambda strike: strike.at_seconds))


def _of_part(part: str, seconds: float, chance: Random) -> Iterator[Strike]:
    at = min(chance.uniform(*_FIRST_SECONDS), seconds / 2)
    kind = Kind.KILL  # each is killed at least once
    while at < seconds:
        lasts = min(chance.uniform(0.0, _LONGEST_OUTAGE_SECONDS), seconds / 3)
        yield Strike(part, kind, at, lasts)
        at += lasts + chance.uniform(*_REST_SECONDS)
        kind = Kind.KILL if chance.random() < _KILLED_SHARE else Kind.FREEZE
