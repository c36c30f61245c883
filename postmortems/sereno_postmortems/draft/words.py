"""Values as a reader wants to see them."""

from datetime import timedelta

from sereno_postmortems.draft.metrics_source import moment

__all__ = ["count", "duration", "moment", "percent", "plural"]


def count(value: float) -> str:
    """A number of events; the ledger counts whole ones, other sources may give fractions."""
    return f"{value:,.0f}" if abs(value - round(value)) < 1e-6 else f"{value:,.2f}"  # noqa: PLR2004 - rounding of floats


def percent(ratio: float) -> str:
    """A ratio in percent with three significant digits and no exponent."""
    value = 100 * ratio
    if value == 0:
        return "0 %"
    decimals = max(0, 2 - _magnitude(value))
    text = f"{value:,.{min(decimals, 8)}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def duration(length: timedelta) -> str:
    """The two largest units: 1 h 26 min, 26 min 28 s, 4 s; below zero, where clocks differ, with a minus."""
    if length < timedelta(0):
        return f"-{duration(-length)}"
    seconds = round(length.total_seconds())
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"


def plural(number: float, one: str, many: str | None = None) -> str:
    """A number with its noun."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def _magnitude(value: float) -> int:
    """Position of the first significant digit: 0 for 1 to 9.99, -1 for 0.1."""
    return int(f"{value:e}".partition("e")[2])
