"""The compiler's own rules on numpy arrays: what Prometheus would record and fire, minute by minute.

Only what the compiler's rules use is understood; anything else is an error, never a guess. A vector is a mapping from
labels to an array with one value a minute; NaN is no sample. What is recorded is one series a name, since all rules
are of one SLO; raw series have their own labels (raw.py). Minute 0 is midnight UTC where rules step by days. Semantics
are those of Prometheus 2.42: ranges are closed, instant look-ups reach five minutes back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, assert_never

import numpy as np

from sereno_slo.backtest.arrays import Array, InterpreterError, last_within, over, over_steps, shifted
from sereno_slo.backtest.vectors import Vector, aggregated, binary, quantile
from sereno_slo.duration import Duration
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, String, Subquery

_MINUTE_MS = 60_000
_FUNCTIONS: Mapping[str, Callable[..., Array]] = {"sqrt": np.sqrt, "clamp_min": np.maximum}
_LOOK_BACK_MINUTES = 4  # a sample that is five minutes old is not found any more


class RawSeries(Protocol):
    """What was scraped."""

    def instant(self, selector: Selector) -> Vector:
        """The selector's instant look-up at every minute."""

    def over_time(self, name: str, selector: Selector) -> Vector:
        """`last_over_time` and so on, of a range selector, at every minute."""

    def unix_seconds(self) -> Array:
        """What time it is."""


class NothingRaw:
    """Only what rules recorded is known."""

    def instant(self, selector: Selector) -> Vector:
        """Refuse."""
        raise InterpreterError(f"nothing records {selector.metric}")

    def over_time(self, name: str, selector: Selector) -> Vector:
        """Refuse."""
        raise InterpreterError(f"nothing records {selector.metric} ({name}_over_time)")

    def unix_seconds(self) -> Array:
        """Refuse."""
        raise InterpreterError("what time it is isn't known")


@dataclass
class Samples:
    """What has been recorded so far, by name, and what was scraped."""

    minutes: int
    series: dict[str, Array] = field(default_factory=dict)
    raw: RawSeries = field(default_factory=NothingRaw)

    def value(self, expr: Expr) -> Vector:
        """The expression at every minute."""
        match expr:
            case Number(value=value):
                return {(): np.full(self.minutes, value, dtype=np.float64)}
            case Selector(window=None):
                return self._instant(expr)
            case Call():
                return self._call(expr)
            case Binary():
                return self._binary(expr)
            case Aggregation(operator=operator, body=body, by=by):
                return aggregated(operator, self.value(body), by, self.minutes)
            case Selector() | Subquery() | String():
                raise InterpreterError(f"{expr} stands where a vector has to")
            case _:
                assert_never(expr)

    def one(self, expr: Expr) -> Array:
        """The expression's only series; NaN where it has no value."""
        found = self.value(expr)
        if set(found) - {()}:
            raise InterpreterError(f"{expr} has several series")
        return found.get((), np.full(self.minutes, np.nan))

    def _instant(self, selector: Selector) -> Vector:
        if selector.metric not in self.series:
            return self.raw.instant(selector)
        return {(): last_within(self._recorded(selector), _LOOK_BACK_MINUTES)}

    def _recorded(self, selector: Selector) -> Array:
        return shifted(self.series[selector.metric], minutes_of(selector.offset))

    def _binary(self, expr: Binary) -> Vector:
        left, right = self.value(expr.left), self.value(expr.right)
        if _is_scalar(expr.left) and not _is_scalar(expr.right):
            (scalar,) = left.values()
            return binary(expr, dict.fromkeys(right, scalar), right, self.minutes)
        return binary(expr, left, right, self.minutes, broadcast=_is_scalar(expr.right))

    def _call(self, call: Call) -> Vector:
        name, arguments = call.function, call.arguments
        if name.endswith("_over_time"):
            return self._over_time(name.removesuffix("_over_time"), arguments)
        match name:
            case "vector" | "scalar":
                return self.value(arguments[0])
            case "time":
                return {(): self.raw.unix_seconds()}
            case "quantile":
                ratio, body = arguments
                return {(): quantile(self._constant(ratio), self.value(body))}
            case "label_replace":
                body, *texts = arguments
                label, text, *_ = (each.value for each in texts if isinstance(each, String))
                return {(*key, (label, text)): values for key, values in self.value(body).items()}
            case _:
                return self._mapped(name, arguments)

    def _mapped(self, name: str, arguments: tuple[Expr, ...]) -> Vector:
        if name not in _FUNCTIONS:
            raise InterpreterError(f"{name}() is not known")
        body, *bounds = arguments
        constants = [self._constant(bound) for bound in bounds]
        return {key: _FUNCTIONS[name](values, *constants) for key, values in self.value(body).items()}

    def _constant(self, expr: Expr) -> float:
        if not isinstance(expr, Number):
            raise InterpreterError(f"{expr} is no number")
        return expr.value

    def _over_time(self, name: str, arguments: tuple[Expr, ...]) -> Vector:
        *parameters, body = arguments
        if isinstance(body, Subquery):
            step = minutes_of(body.step)
            samples = np.where(np.arange(self.minutes) % step == 0, self.one(body.body), np.nan)
            constants = [self._constant(each) for each in parameters]
            return {(): over_steps(name, samples, minutes_of(body.window), step, constants)}
        if not isinstance(body, Selector) or body.window is None or parameters:
            raise InterpreterError(f"{name}_over_time of {body} is not known")
        if body.metric not in self.series:
            return self.raw.over_time(name, body)
        count = body.window.milliseconds // _MINUTE_MS + 1  # closed: both ends
        return {(): over(name, self._recorded(body), count)}


def minutes_of(duration: Duration | None) -> int:
    """A duration of whole minutes as their number; None is none."""
    if duration is None:
        return 0
    if duration.milliseconds % _MINUTE_MS:
        raise InterpreterError(f"{duration} is not made of whole minutes")
    return duration.milliseconds // _MINUTE_MS


def _is_scalar(expr: Expr) -> bool:
    """Whether it is one number without labels, which every series of the other side meets."""
    match expr:
        case Number() | Call(function="time" | "scalar"):
            return True
        case Binary(left=left, right=right):
            return _is_scalar(left) and _is_scalar(right)
        case _:
            return False
