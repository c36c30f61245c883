"""The compiler's own rules on numpy arrays: what Prometheus would record and fire, minute by minute.

Only what rules downstream of the ledger's entries use is understood; anything else is an error, never a guess. A vector
is a mapping from extra labels (`label_replace` adds some) to an array with one value a minute; NaN is no sample. Minute
0 is midnight UTC. Semantics are those of Prometheus 2.42: ranges are closed, instant look-ups reach five minutes back.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray
from sereno_slo.duration import Duration
from sereno_slo.promql import Aggregation, Binary, Call, Expr, Number, Selector, String, Subquery

from benchmarks.alert_quality.arrays import Array, trailing_sums

Labels = tuple[tuple[str, str], ...]
Vector = dict[Labels, Array]

_MINUTE_MS = 60_000
_LOOK_BACK_MINUTES = 4  # a sample that is five minutes old is not found any more


class InterpreterError(Exception):
    """The expression uses something that this interpreter doesn't know."""


@dataclass
class Samples:
    """What has been recorded so far, by name: one series each, since all rules are of one SLO."""

    minutes: int
    series: dict[str, Array] = field(default_factory=dict)

    def value(self, expr: Expr) -> Vector:
        """The expression at every minute."""
        match expr:
            case Number(value=value):
                return {(): np.full(self.minutes, value, dtype=np.float64)}
            case Selector(window=None):
                return {(): self._instant(expr)}
            case Call():
                return self._call(expr)
            case Binary():
                return _binary(expr, self.value(expr.left), self.value(expr.right))
            case Aggregation(operator=operator, body=body):
                return {(): _across(operator, self.value(body))}
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

    def _recorded(self, selector: Selector) -> Array:
        if selector.metric not in self.series:
            raise InterpreterError(f"nothing records {selector.metric}")
        return shifted(self.series[selector.metric], _minutes(selector.offset) if selector.offset else 0)

    def _instant(self, selector: Selector) -> Array:
        return last_within(self._recorded(selector), _LOOK_BACK_MINUTES)

    def _call(self, call: Call) -> Vector:
        name, arguments = call.function, call.arguments
        if name.endswith("_over_time"):
            return {(): self._over_time(name.removesuffix("_over_time"), arguments)}
        match name:
            case "vector":
                return self.value(arguments[0])
            case "quantile":
                ratio, body = arguments
                return {(): _quantile(self._constant(ratio), _stacked(self.value(body)))}
            case "label_replace":
                body, *texts = arguments
                label, text, *_ = (each.value for each in texts if isinstance(each, String))
                return {(*key, (label, text)): values for key, values in self.value(body).items()}
            case _:
                return self._mapped(name, arguments)

    def _mapped(self, name: str, arguments: tuple[Expr, ...]) -> Vector:
        functions: Mapping[str, Callable[..., Array]] = {"sqrt": np.sqrt, "clamp_min": np.maximum}
        if name not in functions:
            raise InterpreterError(f"{name}() is not known")
        body, *bounds = arguments
        constants = [self._constant(bound) for bound in bounds]
        return {key: functions[name](values, *constants) for key, values in self.value(body).items()}

    def _constant(self, expr: Expr) -> float:
        if not isinstance(expr, Number):
            raise InterpreterError(f"{expr} is no number")
        return expr.value

    def _over_time(self, name: str, arguments: tuple[Expr, ...]) -> Array:
        *parameters, body = arguments
        if isinstance(body, Subquery):
            step = _minutes(body.step)
            samples = np.where(np.arange(self.minutes) % step == 0, self.one(body.body), np.nan)
            return _over_steps(
                name, samples, _minutes(body.window), step, [self._constant(each) for each in parameters]
            )
        if not isinstance(body, Selector) or body.window is None or parameters:
            raise InterpreterError(f"{name}_over_time of {body} is not known")
        count = body.window.milliseconds // _MINUTE_MS + 1  # closed: both ends
        return over(name, self._recorded(body), count)


def _minutes(duration: Duration) -> int:
    if duration.milliseconds % _MINUTE_MS:
        raise InterpreterError(f"{duration} is not made of whole minutes")
    return duration.milliseconds // _MINUTE_MS


def shifted(values: Array, minutes: int) -> Array:
    """What it was so many minutes before."""
    return values if not minutes else np.concatenate([np.full(minutes, np.nan), values])[: len(values)]


def last_within(values: Array, minutes: int) -> Array:
    """The last sample that is at most so many minutes old."""
    places = np.arange(len(values))
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, places))
    return np.where((last >= 0) & (places - last <= minutes), values[np.maximum(last, 0)], np.nan)


def over(name: str, values: Array, count: int) -> Array:
    """A function of the samples of the last `count` minutes."""
    if name == "last":
        return last_within(values, count - 1)
    present = ~np.isnan(values)
    counts = trailing_sums(present.astype(float), count)
    sums = trailing_sums(np.where(present, values, 0), count)
    match name:
        case "sum":
            return np.where(counts > 0, sums, np.nan)
        case "avg":
            return sums / np.where(counts > 0, counts, np.nan)
        case _:
            raise InterpreterError(f"{name}_over_time is not known")


def _over_steps(name: str, samples: Array, window: int, step: int, parameters: list[float]) -> Array:
    """A function of a subquery's steps; between two steps the same steps lie within the window, but for the oldest."""
    result = np.full(len(samples), np.nan)
    at = np.arange(0, len(samples), step)
    for minute in at:
        result[minute] = _of_steps(name, samples[max(0, minute - window) : minute + 1 : step], parameters)
        later = samples[max(0, minute - window + step) : minute + 1 : step]  # after the step the oldest has left
        result[minute + 1 : minute + step] = _of_steps(name, later, parameters)
    return result


def _of_steps(name: str, steps: Array, parameters: list[float]) -> float:
    found = steps[~np.isnan(steps)]
    if not len(found):
        return float("nan")
    match name:
        case "avg":
            return float(np.mean(found))
        case "quantile":
            return float(np.quantile(found, parameters[0]))
        case _:
            raise InterpreterError(f"{name}_over_time of a subquery is not known")


def _stacked(vector: Vector) -> Array:
    return np.vstack(list(vector.values()))


def _quantile(ratio: float, stacked: Array) -> Array:
    """Linear between neighbours, as Prometheus does; numpy's own does it a column at a time."""
    ordered = np.sort(stacked, axis=0)  # NaN last
    counts = np.count_nonzero(~np.isnan(stacked), axis=0)
    place = ratio * np.maximum(counts - 1, 0)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    low, high = (np.take_along_axis(ordered, each[None, :], axis=0)[0] for each in (below, above))
    between: Array = low + (high - low) * (place - below)
    return between


def _across(operator: str, vector: Vector) -> Array:
    """An aggregation to one series."""
    stacked = _stacked(vector)
    some = ~np.isnan(stacked).all(axis=0)
    functions: Mapping[str, Callable[..., Any]] = {"min": np.nanmin, "max": np.nanmax}
    if operator not in functions:
        raise InterpreterError(f"{operator} is not known")
    result = np.full(stacked.shape[1], np.nan)
    result[some] = functions[operator](stacked[:, some], axis=0)
    return result


_ARITHMETIC: Mapping[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
_COMPARISONS: Mapping[str, Callable[[Array, Array], NDArray[np.bool_]]] = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}


def _binary(expr: Binary, left: Vector, right: Vector) -> Vector:
    operator = expr.operator
    if operator == "or":
        keys: Iterable[Labels] = dict.fromkeys((*left, *right))
        nothing = np.full(len(next(iter((left or right).values()))), np.nan)
        pairs = {key: (left.get(key, nothing), right.get(key, nothing)) for key in keys}
        return {key: np.where(np.isnan(mine), other, mine) for key, (mine, other) in pairs.items()}
    if set(left) != set(right):
        raise InterpreterError(f"the sides of {expr} have other labels")
    return {key: _combined(expr, left[key], right[key]) for key in left}


def _combined(expr: Binary, left: Array, right: Array) -> Array:
    operator = expr.operator
    if expr.as_bool:
        raise InterpreterError(f"{expr} asks for a bool")
    if operator == "and":
        return np.where(np.isnan(right), np.nan, left)
    with np.errstate(invalid="ignore", divide="ignore"):
        if operator in _ARITHMETIC:
            return _ARITHMETIC[operator](left, right)
        if operator not in _COMPARISONS:
            raise InterpreterError(f"the operator {operator} is not known")
        holds = _COMPARISONS[operator](left, right)
    # `2 > vector` keeps the vector's values in PromQL, too; our rules always have the vector on the left.
    return np.where(holds, left, np.nan)
