"""Bounds of a gauge as the grammar writes them."""

from sereno_slo.duration import Duration


def bound_value(bound: float | str) -> float:
    """A number as it is, a duration in seconds.

    Raises:
        ValueError: a text that is no duration.
    """
    return Duration.parse(bound).seconds if isinstance(bound, str) else float(bound)
