"""Questions to Prometheus. Text that a browser sends never becomes one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeAlias, TypeVar

from sereno_backends.prometheus import ActiveAlert, Columns, PrometheusClient, PrometheusError, Sample
from sereno_slo.promql import Expr

from sereno_portal.gateway.cache import SharedAnswers
from sereno_portal.gateway.span import Span

Value = TypeVar("Value")

FRESH_SECONDS = 10.0
"""How old an answer may be; twice the look of a page that reloads every half minute stays under this."""
STALE_SECONDS = 900.0
"""How old it may be, and is said to be, while Prometheus can't be reached."""
MOST_SERIES = 6_000
"""A thousand SLOs with six figures each."""
MOST_POINTS = 200_000
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class PanelText:
    """A query of a provisioned dashboard, its variables filled in; made by `sereno_portal.pages.dashboards` alone."""

    text: str

    def __str__(self) -> str:
        return self.text


Question: TypeAlias = Expr | PanelText
"""What may be asked: trees that our code builds, and queries of reviewed dashboards; never a string of a request."""


class NotAnswered(Exception):  # noqa: N818 - reads as what happened
    """Prometheus couldn't be reached or refused, and nothing was known from before; the message has no credentials."""


class TooMuch(NotAnswered):
    """The answer has more series or points than a page may ask for."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Value]):
    """What Prometheus said, and when."""

    value: Value
    at: datetime
    """When it was asked."""
    trouble: str = ""
    """Why it isn't younger; empty where all is well."""


class Gateway:
    """Asks one Prometheus for everybody who looks; safe for several threads.

    The same question within ten seconds is one question. At most four are on their way at once. While the server can't
    be reached, answers of the last quarter of an hour are given with that remark.
    """

    def __init__(self, client: PrometheusClient, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._clock = clock
        self._answers = SharedAnswers()
        self._turn = threading.BoundedSemaphore(_AT_ONCE)
        self._counting = threading.Lock()
        self.asked = 0
        """How many questions went to the server since the start."""

    @property
    def server(self) -> str:
        """What to call the server, without credentials."""
        return self._client.name

    def instant(
        self, question: Question, *, at: datetime | None = None, most_series: int = MOST_SERIES
    ) -> Answer[tuple[Sample, ...]]:
        """The samples of now, or of a moment; `most_series` is more only where our own specs say how many there are.

        Raises:
            NotAnswered: there is no answer, not even an old one.
        """
        text = str(question)
        return self._asked(
            ("instant", text, at),
            lambda: _bounded(self._client.instant(text, at or self._clock()), 1, most_series),
            FRESH_SECONDS,
        )

    def range(self, question: Question, span: Span) -> Answer[tuple[Columns, ...]]:
        """Its lines over a span. Raises `NotAnswered`."""
        text = str(question)
        points = (span.end - span.start) // span.step + 1
        # What ended before now never changes: late evaluations are over after ten minutes.
        is_past = self._clock() - span.end > max(timedelta(minutes=10), span.step)
        return self._asked(
            ("range", text, span),
            lambda: _bounded(self._client.columns(text, span.start, span.end, span.step), points),
            600.0 if is_past else FRESH_SECONDS,
        )

    def alerts(self) -> Answer[tuple[ActiveAlert, ...]]:
        """Every alert that is pending or firing. Raises `NotAnswered`."""
        return self._asked(("alerts",), self._client.alerts, FRESH_SECONDS)

    def _asked(self, key: tuple[object, ...], ask: Callable[[], Value], fresh_seconds: float) -> Answer[Value]:
        def in_turn() -> Value:
            with self._turn:
                with self._counting:
                    self.asked += 1
                return ask()

        try:
            kept = self._answers.get(
                key, in_turn, fresh_seconds=fresh_seconds, stale_seconds=STALE_SECONDS, failures=PrometheusError
            )
        except PrometheusError as error:
            raise NotAnswered(str(error)) from error
        at = self._clock().astimezone(UTC) - timedelta(seconds=kept.age_seconds)
        return Answer(kept.value, at, str(kept.failure or ""))


def _bounded(found: tuple[Value, ...], points: int, most_series: int = MOST_SERIES) -> tuple[Value, ...]:
    if len(found) > most_series or len(found) * points > MOST_POINTS:
        raise TooMuch(f"the answer has {len(found)} series; a page takes {min(most_series, MOST_POINTS // points)}")
    return found
