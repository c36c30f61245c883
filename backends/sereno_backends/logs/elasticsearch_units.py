"""Sizes and times as Elasticsearch writes them: `50gb`, `7d`."""

import re

# Elasticsearch reference, "API conventions", byte and time units.
_BYTES = {"b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3, "tb": 1024**4, "pb": 1024**5}
_SECONDS = {"nanos": 1e-9, "micros": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_STEP = 1024
_QUANTITY = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)([a-z]*)")


def bytes_of(text: str) -> int | None:
    """`1.5gb` in bytes; None where it is no size, `-1` (no limit) included."""
    number, factor = _read(text, _BYTES, "b")
    return None if number is None or number < 0 else int(number * factor)


def seconds_of(text: str) -> float | None:
    """`7d` in seconds; None where it is no time, `-1` included."""
    number, factor = _read(text, _SECONDS, "")
    return None if number is None or number < 0 else number * factor


def _read(text: str, units: dict[str, int] | dict[str, float], bare: str) -> tuple[float | None, float]:
    match = _QUANTITY.fullmatch(text.strip().lower())
    if match is None:
        return None, 0
    unit = match.group(2) or bare
    short = f"{unit}b" if bare and unit in {"k", "m", "g", "t", "p"} else unit
    factor = units.get(short)
    return (None, 0) if factor is None else (float(match.group(1)), factor)


def size_text(number: float) -> str:
    """`1.5 GB` for people, in units of 1,024 as Elasticsearch counts them."""
    for unit in ("B", "KB", "MB", "GB"):
        if abs(number) < _STEP:
            return f"{number:.0f} B" if unit == "B" else f"{number:.3g} {unit}"
        number /= _STEP
    return f"{number:,.4g} TB"
