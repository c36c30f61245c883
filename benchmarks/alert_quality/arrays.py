"""What is known at each moment, and sums of it over windows."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Firing = NDArray[np.bool_]


def trailing_sums(values: Array, count: int) -> Array:
    """At each place the sum of the last `count` values, its own included."""
    total: Array = np.cumsum(values)
    earlier = np.concatenate([np.zeros(min(count, len(total))), total[:-count]])[: len(total)]
    difference: Array = total - earlier
    return difference
