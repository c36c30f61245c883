"""Explanations of budgets: one is made at a time, by `sereno_slo.explain`, and kept a minute for everybody."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sereno_backends.prometheus import PrometheusClient, PrometheusError
from sereno_slo.explain import Explanation, NotRecorded, SeveralLedgers, explain
from sereno_slo.history import Reader
from sereno_slo.model import ServiceLevelObjective, Settings

from sereno_portal.gateway.cache import SharedAnswers, StillAsked
from sereno_portal.gateway.gateway import Answer, NotAnswered

_FRESH_SECONDS = 60.0
_STALE_SECONDS = 900.0
_MOST_QUESTIONS = 400
"""Of one explanation: some dozens are usual, roll-ups of three months among them."""
_MOST_SECONDS = 20.0
"""Of one explanation. Whoever wants another one waits a quarter of it, so that pages always have threads."""


class _TakesTooLong(PrometheusError):  # noqa: N818 - reads as what happened
    """An explanation would ask more than a page may, or others are being made."""


class Explainer:
    """Explains SLOs; safe for several threads. Whoever comes while one is made waits some seconds for it."""

    def __init__(self, client: PrometheusClient, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._clock = clock
        self._answers = SharedAnswers()
        self._turn = threading.Lock()

    def explained(self, slo: ServiceLevelObjective, settings: Settings) -> Answer[Explanation | NotRecorded]:
        """The SLO's budget as of now; that nothing is recorded is an answer, too. Raises `NotAnswered`."""

        def ask() -> Explanation | NotRecorded:
            if not self._turn.acquire(timeout=_MOST_SECONDS / 4):
                raise _TakesTooLong("another explanation is being made: try again in a moment")
            try:
                return explain(self._reader(), slo, settings, at=self._clock())
            except NotRecorded as nothing:
                return nothing
            finally:
                self._turn.release()

        try:
            kept = self._answers.get(
                (slo, settings),
                ask,
                fresh_seconds=_FRESH_SECONDS,
                stale_seconds=_STALE_SECONDS,
                failures=(PrometheusError, SeveralLedgers),
            )
        except (PrometheusError, SeveralLedgers, StillAsked) as error:
            raise NotAnswered(str(error)) from error
        at = self._clock().astimezone(UTC) - timedelta(seconds=kept.age_seconds)
        return Answer(kept.value, at, str(kept.failure or ""))

    def _reader(self) -> Reader:
        asked, until = 0, time.monotonic() + _MOST_SECONDS

        def count() -> None:
            nonlocal asked
            asked += 1
            if asked > _MOST_QUESTIONS or time.monotonic() > until:
                raise _TakesTooLong("this takes longer than a page may take: ask `sereno explain`")

        return Reader(self._client, count)
