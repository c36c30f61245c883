"""Which faults strike when: a function of the seed."""

import random
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Everything that may go wrong."""

    COLLECTOR_KILLED = "collector killed"
    COLLECTOR_KILLED_TWICE = "collector killed twice"
    EMITTER_KILLED = "emitter killed"
    SERVER_KILLED = "server killed"
    SERVER_RESTARTED = "server restarted"
    SERVER_FROZEN = "server frozen"
    FLOOD_STAGE = "flood stage"
    ROLLOVER = "rollover"
    CUT_REQUEST = "requests cut"
    CUT_ANSWER = "answers cut"
    SWALLOW_ANSWER = "answers swallowed"
    REFUSED = "429 and 503"
    TOO_LARGE = "413"
    SLOW = "slow"


SERVER_ENDS = frozenset({Fault.SERVER_KILLED, Fault.SERVER_RESTARTED})
"""They take 10 to 20 s each: at most one in a round."""
SERVER_ENDS_SHARE = 0.25
POISON_SHARE = 0.5
CLOCK_JUMPS_SHARE = 0.3
SMALL_QUEUE_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault at one time."""

    at_seconds: float
    fault: Fault
    lasts_seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """One round."""

    seed: int
    seconds: float
    lines_per_second: int
    rotations: tuple[str, ...]
    """One emitter each."""
    poison: bool
    clock_jumps: bool
    small_queue: bool
    strikes: tuple[Strike, ...]
    after_first_line: bool = False
    """The faults begin when the server has the first line."""

    def named(self) -> str:
        """For the table."""
        more = [
            name
            for name, wanted in (
                ("poison", self.poison),
                ("clock jumps", self.clock_jumps),
                ("small queue", self.small_queue),
            )
            if wanted
        ]
        rotations = [rotation for rotation in self.rotations if rotation != "none"]
        return ", ".join([strike.fault.value for strike in self.strikes] + more + rotations)


def random_plan(seed: int, *, seconds: float = 6.0) -> Plan:
    """Two to four faults within `seconds`, in the order of time."""
    chance = random.Random(seed)
    small = [fault for fault in Fault if fault not in SERVER_ENDS]
    faults = chance.sample(small, chance.randint(2, 4))
    if chance.random() < SERVER_ENDS_SHARE:
        faults[-1] = chance.choice(sorted(SERVER_ENDS))
    return planned(seed, faults, seconds=seconds)


def planned(seed: int, faults: list[Fault], *, seconds: float = 6.0) -> Plan:
    """These faults at random times; everything else of the round is random, too."""
    chance = random.Random(f"{seed} circumstances")
    strikes = [Strike(chance.uniform(1.0, seconds - 0.5), fault, chance.uniform(0.5, 2.5)) for fault in faults]
    return Plan(
        seed=seed,
        seconds=seconds,
        lines_per_second=chance.choice((100, 200, 400)),
        rotations=tuple(chance.choice(("none", "rename", "copytruncate")) for _ in range(2)),
        poison=chance.random() < POISON_SHARE,
        clock_jumps=chance.random() < CLOCK_JUMPS_SHARE,
        small_queue=chance.random() < SMALL_QUEUE_SHARE,
        strikes=tuple(sorted(strikes, key=lambda strike: strike.at_seconds)),
    )
