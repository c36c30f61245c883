"""The second way to Prometheus: a backtest reads months of the past, so it has a process of its own and much time.

Reading and replaying take a processor for seconds; beside the pages' threads they would make every page wait. What
takes too long or too much memory ends with its process.
"""

import multiprocessing
import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection

from sereno_slo.model import ServiceLevelObjective, Settings

from sereno_portal.gateway.gateway import NotAnswered, TooMuch

LONGEST_SECONDS = 120.0
MOST_DAYS = 30
MOST_RAW_POINTS = 60_000_000
"""Raw series times minutes: 600 series over a month, with what fills its windows before; half a minute's work."""
_MOST_BYTES = 1_500 * 2**20
_NICENESS = 10


class Source(StrEnum):
    """What is replayed."""

    RECORDED = "recorded"
    """The ledger's entries; raw series where there are none."""
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Replay:
    """What an SLO would have told with another objective."""

    slo: ServiceLevelObjective
    settings: Settings
    days: int
    objective_percent: float
    source: Source


@dataclass(frozen=True, slots=True)
class Told:
    """One page or ticket; moments are Unix seconds."""

    kind: str
    """`page` or `ticket`."""
    begin: float
    end: float
    is_open: bool
    """It still fires at the end."""
    alerts: str
    peak_burn_rate: float | None
    events: float
    bad_events: float
    budget_spent_ratio: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one objective would have told, and left of the budget."""

    objective_percent: float
    pages: int
    tickets: int
    budget_remaining_ratio: float | None
    lowest_budget_remaining_ratio: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """The period in at most 720 points; None where nothing is known."""

    times: tuple[float, ...]
    budget_remaining_ratio: tuple[float | None, ...]
    """With the asked objective."""
    error_ratio: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """The answer to a `Replay`; moments are Unix seconds."""

    begin: float
    end: float
    source: Source
    """What was read."""
    history_begin: float | None
    """The first minute that is known; None where none is."""
    budget_whole_from: float | None
    """From when on the SLO's window lies within what is known."""
    minutes: int
    minutes_seen: int
    events: float
    bad_events: float
    attained_ratio: float | None
    """None without events."""
    asked: Outcome
    present: Outcome
    """With the objective as the spec has it."""
    others: tuple[Outcome, ...]
    """Usual objectives, the least strict first."""
    told: tuple[Told, ...]
    """With the asked objective, in order of time."""
    told_at_present: tuple[Told, ...]
    suggested_objective_percent: float | None
    curve: Curve


class TookTooLong(NotAnswered):
    """There was no answer in time, and nobody works on it any more."""


class History:
    """Replays the past of one Prometheus."""

    def __init__(self, prometheus: str, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._prometheus = prometheus
        self._longest_seconds = longest_seconds

    def replay(self, question: Replay, end_ms: int) -> Replayed:
        """The days up to a whole minute. It may take two minutes, and is called in a thread that has them.

        Raises:
            NotAnswered: the past couldn't be read.
            TookTooLong: nor in time.
            TooMuch: there are too many series.
        """
        # Another process of our own kind, which inherits neither threads nor locks.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(theirs, self._prometheus, question, end_ms), daemon=True)
        process.start()
        theirs.close()
        try:
            if not ours.poll(self._longest_seconds):
                raise TookTooLong(
                    f"not done within {self._longest_seconds:.0f} s; ask about fewer days, or call `sereno backtest`"
                )
            answer = ours.recv()
        except EOFError:
            process.join()
            if (process.exitcode or 0) < 0:
                raise TooMuch("there was no memory left for it; `sereno backtest` has no such limit") from None
            raise  # its own words stand in the log
        finally:
            ours.close()
            process.kill()
            process.join()
            process.close()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Replayed)  # noqa: S101 - the other end is `_work`
        return answer


def _work(connection: Connection, prometheus: str, question: Replay, end_ms: int) -> None:
    """What the process does: nothing of it may be louder than an answer."""
    os.nice(_NICENESS)
    with suppress(ValueError, OSError):  # a lower limit is there already, or the system has none
        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
    # Here, because the pages' own process needs no numpy.
    from sereno_portal.gateway.replaying import replayed  # noqa: PLC0415

    try:
        connection.send(replayed(prometheus, question, end_ms))
    except NotAnswered as error:
        connection.send(type(error)(str(error)))
    except MemoryError:
        connection.send(TooMuch("it needs too much memory; `sereno backtest` has no such limit"))
