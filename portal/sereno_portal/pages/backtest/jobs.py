"""Backtests that are worked on: one at a time, a few that wait, each question once for all who ask it."""

import hashlib
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from sereno_portal.gateway import NotAnswered, Replay, Replayed

MOST_WAITING = 4
KEPT_SECONDS = 600.0
FAILURE_SECONDS = 10.0
"""So long a failure answers for the server, so that a page that reloads doesn't ask again and again."""
_MOST_KEPT = 50

Work = Callable[[Replay], Replayed]


class State(StrEnum):
    """How far it is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One question, as it stands."""

    id: str
    question: Replay
    state: State
    before: int = 0
    """How many are worked on first."""
    answer: Replayed | None = None
    trouble: str = ""
    ended_at: float = 0.0

    @property
    def is_open(self) -> bool:
        """There is nothing to tell yet."""
        return self.state in (State.WAITING, State.RUNNING)


class Busy(Exception):  # noqa: N818 - reads as what happened
    """As many wait as may."""


class Jobs:
    """Safe for several threads. A thread works while there is something to do, and ends."""

    def __init__(self, work: Work, clock: Callable[[], float] = time.monotonic) -> None:
        self._work = work
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Job] = OrderedDict()
        self._waiting: deque[str] = deque()
        self._is_working = False

    def ask(self, question: Replay) -> Job:
        """Its job: the one of the last ten minutes, else a new one.

        Raises:
            Busy: too many wait already.
        """
        name = _id_of(question)
        with self._lock:
            self._forget()
            if name not in self._known:
                if len(self._waiting) >= MOST_WAITING:
                    raise Busy(f"{MOST_WAITING} backtests wait already; ask again in a minute")
                self._known[name] = Job(name, question, State.WAITING)
                self._waiting.append(name)
                if not self._is_working:
                    self._is_working = True
                    threading.Thread(target=self._work_off, name="backtests", daemon=True).start()
            return self._shown(self._known[name])

    def find(self, question: Replay) -> Job | None:
        """Its job, if it has been asked already; nothing is begun."""
        return self.get(_id_of(question))

    def get(self, name: str) -> Job | None:
        """The job of that id; None where there is none, or none any more."""
        with self._lock:
            self._forget()
            found = self._known.get(name)
            return None if found is None else self._shown(found)

    def _shown(self, job: Job) -> Job:
        if job.state is not State.WAITING:
            return job
        return replace(job, before=self._waiting.index(job.id) + 1)

    def _forget(self) -> None:
        now = self._clock()
        for job in [each for each in self._known.values() if not each.is_open]:
            kept = KEPT_SECONDS if job.state is State.DONE else FAILURE_SECONDS
            if now - job.ended_at >= kept or len(self._known) > _MOST_KEPT:
                del self._known[job.id]

    def _work_off(self) -> None:
        while (job := self._next()) is not None:
            try:
                ended = replace(job, state=State.DONE, answer=self._work(job.question))
            except NotAnswered as error:
                ended = replace(job, state=State.FAILED, trouble=str(error))
            except Exception:
                logging.getLogger(__name__).exception("a backtest of %s broke off", job.question.slo.name)
                ended = replace(job, state=State.FAILED, trouble="it broke off; the portal's log has the cause")
            self._end(ended)

    def _next(self) -> Job | None:
        with self._lock:
            if not self._waiting:
                self._is_working = False
                return None
            name = self._waiting.popleft()
            self._known[name] = replace(self._known[name], state=State.RUNNING)
            return self._known[name]

    def _end(self, job: Job) -> None:
        with self._lock:
            self._known[job.id] = replace(job, ended_at=self._clock())


def _id_of(question: Replay) -> str:
    return hashlib.sha256(repr(question).encode()).hexdigest()[:20]
