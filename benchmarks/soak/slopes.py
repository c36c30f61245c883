"""How fast figures grow: the median of all slopes between two of them (Theil, Sen), with its confidence.

Single peaks and a garbage collection now and then move a least-squares line; the median of slopes stays where it is
until a third of the samples is odd.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

_TWO_SIDED_95 = 1.959964
"""Of the normal distribution."""
_MOST_SAMPLES = 400
"""There are as many slopes as pairs: 80,000 take a blink, those of a long run would take minutes."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth in units a second."""

    estimate: float
    low: float
    high: float
    """Between both lies the slope, with a confidence of 95 %."""


def theil_sen(samples: Sequence[tuple[float, float]]) -> Slope:
    """The slope of (seconds, value), by time; with fewer than three samples nothing is known."""
    thinned = samples[:: max(1, math.ceil(len(samples) / _MOST_SAMPLES))]
    slopes = sorted((late - early) / (after - before) for (before, early), (after, late) in combinations(thinned, 2))
    count = len(thinned)
    if count < 3:  # noqa: PLR2004 - two points have a line and no confidence
        return Slope(0.0, -math.inf, math.inf)
    # Sen 1968: the rank of the limits follows from the variance of Kendall's statistic.
    spread = _TWO_SIDED_95 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, math.floor((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + spread) / 2))
    middle = len(slopes) // 2
    estimate = slopes[middle] if len(slopes) % 2 else (slopes[middle - 1] + slopes[middle]) / 2
    return Slope(estimate, slopes[low], slopes[high])
