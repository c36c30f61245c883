"""Does to each process what the plan says, and notes since when it was gone and when it was back."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sereno_cli.demo.places import DemoError
from sereno_cli.demo.supervisor import Supervisor

from benchmarks.chaos.plan import Kind, Strike


@dataclass(frozen=True, slots=True)
class Outage:
    """A process that was struck; both in seconds since 1970."""

    part: str
    kind: Kind
    begun: float
    ended: float
    """It was healthy again."""


@dataclass(slots=True)
class Record:
    """What was done; written by one thread for each part."""

    outages: list[Outage] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """What didn't come back, in words."""

    def of(self, part: str, kind: Kind | None = None) -> list[Outage]:
        """The outages of one part."""
        return [each for each in self.outages if each.part == part and kind in (None, each.kind)]


def strike_all(
    supervisor: Supervisor, planned: Sequence[Strike], record: Record, back: Callable[[str], None]
) -> list[threading.Thread]:
    """Begin to strike, a thread for each part; `back` is told of each part that was killed and answers again."""
    begun = time.monotonic()

    def of_part(part: str) -> None:
        for strike in planned:
            if strike.part == part and not record.failures:
                time.sleep(max(0.0, begun + strike.at_seconds - time.monotonic()))
                try:
                    record.outages.append(_strike(supervisor, strike, back))
                except DemoError as error:
                    record.failures.append(f"{part} didn't come back after a {strike.kind}: {error}")

    threads = [threading.Thread(target=of_part, args=(part,), name=part) for part in {each.part for each in planned}]
    for thread in threads:
        thread.start()
    return threads


def _strike(supervisor: Supervisor, strike: Strike, back: Callable[[str], None]) -> Outage:
    begun = time.time()
    match strike.kind:
        case Kind.KILL:
            supervisor.kill_part(strike.part)
            time.sleep(strike.lasts_seconds)
            supervisor.start_part(strike.part)
            back(strike.part)
        case Kind.FREEZE:
            supervisor.freeze_part(strike.part)
            time.sleep(strike.lasts_seconds)
            supervisor.thaw_part(strike.part)
    return Outage(strike.part, strike.kind, begun, time.time())
