"""Questions to Prometheus. Text that a browser sends never becomes one."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeAlias, TypeVar

from sereno_backends.prometheus import ActiveAlert, Columns, PrometheusClient, PrometheusError, Sample
from sereno_slo.promql import Expr

from sereno_portal.gateway.cache import SharedAnswers, StillAsked
from sereno_portal.gateway.span import Span

Value = TypeVar("Value")

FRESH_SECONDS = 10.0
"""How old an answer may be; twice the look of a page that reloads every half minute stays under this."""
STALE_SECONDS = 900.0
"""How old it may be, and is said to be, while Prometheus can't be reached."""
MOST_SERIES = 6_000
"""A thousand SLOs with six figures each."""
MOST_POINTS = 200_000
MOST_VALUES = 50_000
"""Of a label."""
_AT_ONCE = 4
_TURN_SECONDS = 5.0
"""How long a question waits for one of the four to end."""
_SERIES_WEIGHT = 10
"""Labels take more room than a point."""


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


class _Crowded(PrometheusError):  # noqa: N818 - reads as what happened
    """The questions before this one take long."""


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
        self._answers = SharedAnswers(weigh=_weight)
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
        ended = self._clock() - span.end
        # What ended before now never changes: late evaluations are over after ten minutes.
        is_past = ended > max(timedelta(minutes=10), span.step)
        # Where asking fails, what was drawn up to some minutes ago stands in for what ends now.
        is_current = ended < 2 * span.step
        return self._asked(
            ("range", text, span.end - span.start if is_current else span, span.step),
            lambda: _bounded(self._client.columns(text, span.start, span.end, span.step), points),
            600.0 if is_past else FRESH_SECONDS,
            version=span,
        )

    def label_values(self, question: Question, label: str) -> Answer[tuple[str, ...]]:
        """The values that a label has in the samples of now, in order; more than a page may have samples.

        Raises:
            TooMuch: there are more than 50,000.
            NotAnswered: there is no answer, not even an old one.
        """
        text = str(question)

        def ask() -> tuple[str, ...]:
            found = _bounded(self._client.instant(text, self._clock()), 1, MOST_VALUES)
            return tuple(sorted({sample.labels[label] for sample in found if label in sample.labels}))

        return self._asked(("label values", text, label), ask, FRESH_SECONDS)

    def alerts(self) -> Answer[tuple[ActiveAlert, ...]]:
        """Every alert that is pending or firing. Raises `NotAnswered`."""
        return self._asked(("alerts",), self._client.alerts, FRESH_SECONDS)

    def _asked(
        self, key: tuple[object, ...], ask: Callable[[], Value], fresh_seconds: float, version: Span | None = None
    ) -> Answer[Value]:
        def in_turn() -> Value:
            if not self._turn.acquire(timeout=_TURN_SECONDS):
                raise _Crowded(f"{self.server} is slow: {_AT_ONCE} questions are on their way; try again in a moment")
            try:
                with self._counting:
                    self.asked += 1
                return ask()
            finally:
                self._turn.release()

        try:
            kept = self._answers.get(
                key,
                in_turn,
                fresh_seconds=fresh_seconds,
                stale_seconds=STALE_SECONDS,
                failures=(PrometheusError, TooMuch),
                version=version,
            )
        except StillAsked as error:
            raise NotAnswered(f"{self.server} is slow: {error}") from error
        except PrometheusError as error:
            raise NotAnswered(str(error)) from error
        at = self._clock().astimezone(UTC) - timedelta(seconds=kept.age_seconds)
        return Answer(kept.value, at, str(kept.failure or ""))


def _weight(found: tuple[object, ...]) -> int:
    return sum(_SERIES_WEIGHT + (len(each.values) if isinstance(each, Columns) else 0) for each in found)


def _bounded(found: tuple[Value, ...], points: int, most_series: int = MOST_SERIES) -> tuple[Value, ...]:
    if len(found) > most_series or len(found) * points > MOST_POINTS:
        raise TooMuch(f"the answer has {len(found)} series; a page takes {min(most_series, MOST_POINTS // points)}")
    return found
