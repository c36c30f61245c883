"""Small questions about series, many in one: what a survey is made of."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sereno_backends.prometheus import PrometheusRefused, told_apart

from sereno_slo.duration import Duration
from sereno_slo.history.reading import Reader
from sereno_slo.plan.series import side_by_side
from sereno_slo.promql import Aggregation, Call, Expr, Matcher, MatchOp, Number, Selector
from sereno_slo.validate.survey import MOST_VALUES, LabelValues

HOUR = Duration.parse("1h")
_SUFFIXES = ("_total", "_count", "_bucket", "_sum")
_OF = "of"

Value = TypeVar("Value")


def seen(selector: Selector) -> Expr:
    """The series that had a sample within the last hour."""
    return Call("present_over_time", (selector.over(HOUR),))


def count(expr: Expr) -> Expr:
    """How many series; nothing where there are none."""
    return Aggregation("count", expr)


def labelled(selector: Selector, label: str) -> Selector:
    """Those of the series that have the label."""
    return selector.where(Matcher(label, MatchOp.NOT_EQUAL, ""))


@dataclass(slots=True)
class Asker:
    """Asks one server at one moment; what is the same for several SLOs is asked once.

    Every question may raise a `PrometheusError`.
    """

    reader: Reader
    now: datetime
    _types: dict[str, frozenset[str]] = field(default_factory=dict)
    _names: list[tuple[str, ...]] = field(default_factory=list)
    _kept: list[Duration | None] = field(default_factory=list)

    def numbers(self, exprs: Mapping[str, Expr]) -> dict[str, float]:
        """The values of expressions that yield one number each, in one question; without those that yield none."""
        samples = self.reader.instant(side_by_side(exprs, _OF), self.now) if exprs else ()
        named = told_apart(samples, _OF, exprs, server=self.reader.client.name)
        return {name: sample.value for name, sample in named if sample.is_finite}

    def counts(self, exprs: Mapping[str, Expr]) -> dict[str, int]:
        """How many series each expression yields."""
        found = self.numbers({name: count(expr) for name, expr in exprs.items()})
        return {name: round(found.get(name, 0)) for name in exprs}

    def values_of(self, label: str, selector: Selector) -> LabelValues:
        """What the label says on the series."""
        by_value = Aggregation("count", seen(labelled(selector, label)), (label,))
        most = Call("topk", (Number(MOST_VALUES), by_value))
        samples = self.reader.instant(side_by_side({"value": most, "count": count(by_value)}, _OF), self.now)
        named = list(told_apart(samples, _OF, ("value", "count"), server=self.reader.client.name))
        found = [(-sample.value, sample.labels.get(label, "")) for name, sample in named if name == "value"]
        total = next((round(sample.value) for name, sample in named if name == "count" and sample.is_finite), 0)
        return LabelValues(label, tuple(value for _, value in sorted(found)), total)

    def was_seen(self, selector: Selector, days: int) -> bool:
        """Whether there were such series at any full hour of the last days."""
        hour, begin = timedelta(hours=1), self.now - timedelta(days=days)
        return bool(self.reader.stepped(count(selector), begin, self.now, hour))

    def hours_of_a_day(self, grown: Mapping[str, Expr], days_ago: int) -> Iterator[tuple[float, ...]]:
        """The values of these expressions at each full hour of a day at which all of them have one."""
        hour = timedelta(hours=1)
        last = self.now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days_ago)
        answers = self.reader.stepped(side_by_side(grown, _OF), last - timedelta(hours=23), last, hour)
        by_name = {
            name: {point.timestamp: point.value for point in answer.points if point.is_finite}
            for name, answer in told_apart(answers, _OF, grown, server=self.reader.client.name)
        }
        columns = [by_name.get(name, {}) for name in grown]
        for moment in columns[0]:
            if all(moment in column for column in columns):
                yield tuple(column[moment] for column in columns)

    def names(self) -> tuple[str, ...]:
        """All metrics of the last hour."""
        if not self._names:
            self._names.append(self.reader.client.metric_names((), self.now - timedelta(hours=1), self.now))
            self.reader.asked()
        return self._names[0]

    def types(self, metric: str) -> frozenset[str]:
        """What targets declare the metric to be: under its name, or under that of its family."""
        if metric not in self._types:
            families = [metric, *(metric.removesuffix(end) for end in _SUFFIXES if metric.endswith(end))]
            found = (self._told(partial(self.reader.client.metric_types, name)) for name in families)
            self._types[metric] = next((types for types in found if types), frozenset())
        return self._types[metric]

    def kept(self) -> Duration | None:
        """How long the server keeps samples; None where it doesn't tell, or goes by size only."""
        if not self._kept:
            self._kept.append(_duration(self._told(self.reader.client.retention) or ""))
        return self._kept[0]

    def _told(self, question: Callable[[], Value]) -> Value | None:
        """What Prometheus alone can answer: others refuse, and then it isn't known."""
        try:
            answer = question()
        except PrometheusRefused:
            return None
        finally:
            self.reader.asked()
        return answer


def _duration(text: str) -> Duration | None:
    words: Sequence[str] = text.split()
    try:
        return Duration.parse(words[0]) if words else None
    except ValueError:
        return None
