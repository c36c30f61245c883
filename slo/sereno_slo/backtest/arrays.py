"""What is known at each minute, and functions of the minutes before it. NaN is no sample."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Firing = NDArray[np.bool_]


class InterpreterError(Exception):
    """The expression uses something that isn't known here: our mistake, never a guess."""


def trailing_sums(values: Array, count: int) -> Array:
    """At each place the sum of the last `count` values, its own included."""
    total: Array = np.cumsum(values)
    earlier = np.concatenate([np.zeros(min(count, len(total))), total[:-count]])[: len(total)]
    difference: Array = total - earlier
    return difference


def shifted(values: Array, minutes: int) -> Array:
    """What it was so many minutes before."""
    return values if not minutes else np.concatenate([np.full(minutes, np.nan), values])[: len(values)]


def last_within(values: Array, minutes: int) -> Array:
    """The last sample that is at most so many minutes old."""
    places = np.arange(len(values))
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, places))
    return np.where((last >= 0) & (places - last <= minutes), values[np.maximum(last, 0)], np.nan)


def over(name: str, values: Array, count: int) -> Array:
    """A function (`sum`, `last`, …) of the samples of the last `count` minutes."""
    match name:
        case "last":
            return last_within(values, count - 1)
        case "sum":
            counts, sums = _counts_and_sums(values, count)
            return np.where(counts > 0, sums, np.nan)
        case "avg":
            counts, sums = _counts_and_sums(values, count)
            return sums / np.where(counts > 0, counts, np.nan)
        case "max":
            highest = values
            for minutes in range(1, count):
                highest = np.fmax(highest, shifted(values, minutes))
            return highest
        case _:
            raise InterpreterError(f"{name}_over_time is not known")


def _counts_and_sums(values: Array, count: int) -> tuple[Array, Array]:
    present = ~np.isnan(values)
    return trailing_sums(present.astype(float), count), trailing_sums(np.where(present, values, 0), count)


def over_steps(name: str, samples: Array, window: int, step: int, parameters: list[float]) -> Array:
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
