"""Prometheus as a source of facts: every failure to answer becomes `NotMeasured`, with the reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

from sereno_backends.prometheus import PrometheusClient, PrometheusError, RecordingRule, Sample, Series

from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, Question, SourceKind
from sereno_postmortems.draft.queries import Selector
from sereno_postmortems.draft.windows import Window

T = TypeVar("T")

SloName: TypeAlias = tuple[str, str]
"""Service and SLO."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """One Prometheus, or none. `missing` says why nothing can be asked; then nothing is."""

    client: PrometheusClient | None
    missing: str | None

    def samples(self, expression: str, at: datetime) -> Fact[tuple[Sample, ...]]:
        """All samples of an expression at a moment, only finite ones; no samples is a measured emptiness."""

        def ask(client: PrometheusClient) -> tuple[Sample, ...]:
            return tuple(sample for sample in client.instant(expression, at) if sample.is_finite)

        return self._ask(expression, f"at {moment(at)}", ask)

    def value(self, expression: str, at: datetime) -> Fact[float]:
        """The one value of an expression at a moment; none, several or NaN are not measured."""
        answer = self._ask(expression, f"at {moment(at)}", lambda client: client.instant(expression, at))
        if isinstance(answer, NotMeasured):
            return answer
        if len(answer.value) != 1:
            return NotMeasured(_not_one(len(answer.value)), answer.sources)
        (sample,) = answer.value
        if not sample.is_finite:
            return NotMeasured(f"Prometheus answered {sample.value}", answer.sources)
        return Measured(sample.value, answer.sources)

    def stored(self, selector: Selector, window: Window) -> Fact[tuple[Series, ...]]:
        """Samples as they were recorded within a window, with their own timestamps."""
        text = selector.within(window)
        return self._ask(text, f"at {moment(window.end)}", lambda client: client.stored(text, window.end))

    def stored_one(self, selector: Selector, window: Window) -> Fact[Series]:
        """The one series that matches, with its samples within a window; none or several are not measured."""
        answer = self.stored(selector, window)
        if isinstance(answer, NotMeasured):
            return answer
        if len(answer.value) != 1:
            return NotMeasured(_not_one(len(answer.value)), answer.sources)
        return Measured(answer.value[0], answer.sources)

    def over_time(self, expression: str, window: Window, step: timedelta) -> Fact[tuple[Series, ...]]:
        """The expression evaluated at the window's start and every step up to its end; no series is not measured."""
        asked_for = f"from {moment(window.start)} to {moment(window.end)}, every {step.total_seconds():.0f} s"
        answer = self._ask(
            expression, asked_for, lambda client: client.range(expression, window.start, window.end, step)
        )
        if isinstance(answer, Measured) and not answer.value:
            return NotMeasured(_not_one(0), answer.sources)
        return answer

    def expressions(self) -> Mapping[str, Mapping[SloName, str]]:
        """What the rules that record series of SLOs compute: name of the series → SLO → PromQL; empty if unknown."""
        if self.client is None or self.missing is not None:
            return {}
        try:
            groups = self.client.rules()
        except PrometheusError:  # engines that keep rules elsewhere; then what is usual is asked for
            return {}
        found: dict[str, dict[SloName, str]] = {}
        for rule in (rule for group in groups for rule in group.rules if isinstance(rule, RecordingRule)):
            if rule.name.startswith("sereno:"):
                slo = (rule.labels.get("service", ""), rule.labels.get("slo", ""))
                found.setdefault(rule.name, {})[slo] = rule.expression
        return found

    def _ask(self, text: str, asked_for: str, ask: Callable[[PrometheusClient], T]) -> Fact[T]:
        if self.client is None:
            return NotMeasured(self.missing or "no Prometheus was named")
        sources = (Question(SourceKind.PROMETHEUS, self.client.name, text, asked_for),)
        if self.missing is not None:
            return NotMeasured(self.missing, sources)
        try:
            return Measured(ask(self.client), sources)
        except PrometheusError as error:
            return NotMeasured(str(error), sources)


def open_metrics(client: PrometheusClient | None, now: datetime) -> Metrics:
    """Try the server once: one that doesn't answer is not asked again, so that a draft isn't a minute of timeouts."""
    if client is None:
        return Metrics(None, "no Prometheus was named (--prometheus URL)")
    try:
        client.instant("vector(1)", now)
    except PrometheusError as error:
        return Metrics(client, str(error))
    return Metrics(client, None)


def moment(at: datetime) -> str:
    """A moment as drafts write it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _not_one(count: int) -> str:
    if count == 0:
        return "Prometheus holds no such series at that time"
    return f"{count} series answer where one is expected, and adding them up would be a guess"
