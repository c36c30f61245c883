"""Vectors of PromQL on arrays: series by their labels, how two vectors are matched, and aggregations.

Labels leave out the metric's name, and what all series of one question share.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sereno_slo.backtest.arrays import Array, InterpreterError
from sereno_slo.promql import Binary

Labels = tuple[tuple[str, str], ...]
"""In order of their names."""
Vector = dict[Labels, Array]


def binary(expr: Binary, left: Vector, right: Vector, minutes: int, *, broadcast: bool = False) -> Vector:
    """Both sides combined; with `broadcast` the right side is a scalar."""
    if expr.operator in _SETS:
        return _SETS[expr.operator](expr, left, right, minutes)
    if (expr.on is not None or expr.ignoring) and {*left, *right} - {()}:
        raise InterpreterError(f"{expr} matches by some labels only")
    if broadcast:
        (scalar,) = right.values()
        return {key: _combined(expr, values, scalar) for key, values in left.items()}
    return {key: _combined(expr, left[key], right[key]) for key in left if key in right}


def _or(expr: Binary, left: Vector, right: Vector, minutes: int) -> Vector:
    if expr.on is not None:
        raise InterpreterError(f"{expr} matches by some labels only")
    keys: Iterable[Labels] = dict.fromkeys((*left, *right))
    nothing = np.full(minutes, np.nan)
    pairs = {key: (left.get(key, nothing), right.get(key, nothing)) for key in keys}
    return {key: np.where(np.isnan(mine), other, mine) for key, (mine, other) in pairs.items()}


def _and(expr: Binary, left: Vector, right: Vector, minutes: int) -> Vector:
    there, nowhere = _presence(expr, right), np.zeros(minutes, dtype=np.bool_)
    return {key: np.where(there.get(_matched(expr, key), nowhere), values, np.nan) for key, values in left.items()}


def _unless(expr: Binary, left: Vector, right: Vector, minutes: int) -> Vector:
    there, nowhere = _presence(expr, right), np.zeros(minutes, dtype=np.bool_)
    return {key: np.where(there.get(_matched(expr, key), nowhere), np.nan, values) for key, values in left.items()}


def _presence(expr: Binary, vector: Vector) -> dict[Labels, NDArray[np.bool_]]:
    """When any series is there, by the labels that are matched."""
    there: dict[Labels, NDArray[np.bool_]] = {}
    for key, values in vector.items():
        matched, present = _matched(expr, key), ~np.isnan(values)
        there[matched] = there[matched] | present if matched in there else present
    return there


def _matched(expr: Binary, labels: Labels) -> Labels:
    if expr.on is None:
        return labels
    return tuple((name, value) for name, value in labels if name in expr.on)


_SETS: Mapping[str, Callable[[Binary, Vector, Vector, int], Vector]] = {"or": _or, "and": _and, "unless": _unless}
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
    "==": np.equal,
}


def _combined(expr: Binary, left: Array, right: Array) -> Array:
    operator = expr.operator
    if expr.as_bool:
        raise InterpreterError(f"{expr} asks for a bool")
    with np.errstate(invalid="ignore", divide="ignore"):
        if operator in _ARITHMETIC:
            return _ARITHMETIC[operator](left, right)
        if operator not in _COMPARISONS:
            raise InterpreterError(f"the operator {operator} is not known")
        holds = _COMPARISONS[operator](left, right)
    # `2 > vector` keeps the vector's values in PromQL, too; our rules always have the vector on the left.
    return np.where(holds, left, np.nan)


def aggregated(operator: str, vector: Vector, by: tuple[str, ...], minutes: int) -> Vector:
    """An aggregation to one series, or to one for each value of some labels."""
    groups: dict[Labels, list[Array]] = {}
    for labels, values in vector.items():
        groups.setdefault(tuple(pair for pair in labels if pair[0] in by), []).append(values)
    if not groups:
        return {} if by else {(): np.full(minutes, np.nan)}
    return {labels: _across(operator, np.vstack(arrays)) for labels, arrays in groups.items()}


_ACROSS: Mapping[str, Callable[..., Any]] = {"min": np.nanmin, "max": np.nanmax, "sum": np.nansum, "avg": np.nanmean}


def _across(operator: str, stacked: Array) -> Array:
    some = ~np.isnan(stacked).all(axis=0)
    result = np.full(stacked.shape[1], np.nan)
    if operator == "count":
        result[some] = np.count_nonzero(~np.isnan(stacked[:, some]), axis=0)
    elif operator in _ACROSS:
        result[some] = _ACROSS[operator](stacked[:, some], axis=0)
    else:
        raise InterpreterError(f"{operator} is not known")
    return result


def quantile(ratio: float, vector: Vector) -> Array:
    """Linear between neighbours, as Prometheus does; numpy's own does it a column at a time."""
    stacked = np.vstack(list(vector.values()))
    ordered = np.sort(stacked, axis=0)  # NaN last
    counts = np.count_nonzero(~np.isnan(stacked), axis=0)
    place = ratio * np.maximum(counts - 1, 0)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    low, high = (np.take_along_axis(ordered, each[None, :], axis=0)[0] for each in (below, above))
    between: Array = low + (high - low) * (place - below)
    return between
