"""Sizes and times in the doctor's sentences."""

from sereno_backends.logs.elasticsearch_units import size_text as size
from sereno_backends.logs.health.forecast import Growth

_HOURS_BELOW_DAYS = 2
_HOUR_AND_A_HALF = 1.5


def days(number: float | None) -> str:
    """`in 3.5 days`."""
    if number is None:
        return "not within a year"
    if number == 0:
        return "now"
    if number < 1 / 24:
        return "in less than an hour"
    if number * 24 < _HOUR_AND_A_HALF:
        return "in an hour"
    return f"in {number * 24:.0f} hours" if number < _HOURS_BELOW_DAYS else f"in {number:.0f} days"


def growth(measured: Growth | None) -> str:
    """Growth with its source and its uncertainty."""
    if measured is None:
        return "its growth isn't known yet (the store is younger than an hour, or empty)"
    spread = ""
    if measured.highest_bytes_per_day > measured.lowest_bytes_per_day:
        spread = f", between {size(measured.lowest_bytes_per_day)} and {size(measured.highest_bytes_per_day)}"
    return f"{size(measured.bytes_per_day)} a day come{spread} (by {measured.source}, over {_time(measured)})"


def _time(measured: Growth) -> str:
    seconds = measured.measured.total_seconds()
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.0f} seconds"
