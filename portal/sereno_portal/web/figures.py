"""Figures as people read them, by Grafana's unit ids; static/figures.js says the same in the browser."""

import math
from datetime import timedelta

_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BYTES = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"))
_SUFFIXES = {
    "cpm": "/min",
    "ops": "/s",
    "reqps": "/s",
    "cps": "/s",
    "rps": "/s",
    "pps": " p/s",
    "percent": " %",
    "celsius": " °C",
}
_SECONDS = {"s": 1, "dtdurations": 1, "ms": 1e-3, "clockms": 1e-3, "µs": 1e-6, "m": 60, "h": 3_600, "d": 86_400}
NOTHING = "–"  # noqa: RUF001 - what stands where there is no figure


def figure(  # noqa: PLR0911 - one for each kind of unit
    value: float | None, unit: str = "short", decimals: int | None = None
) -> str:
    """The value with its unit, as short as it can be read; `–` where there is none."""  # noqa: RUF002 - the sign itself
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit == "percentunit":
        return f"{_rounded(value * 100, decimals)} %"
    if unit in _SECONDS:
        return lasting(value * _SECONDS[unit])
    if unit in ("bytes", "decbytes", "Bps", "binBps"):
        return _scaled(value, _BYTES, decimals, "B") + ("/s" if unit.endswith("ps") else "")
    if unit == "locale":
        return f"{value:,.{decimals or 0}f}"
    suffix = unit.removeprefix("suffix:") if unit.startswith("suffix:") else _SUFFIXES.get(unit, "")
    return _scaled(value, _SCALES, decimals, "").rstrip() + suffix


def lasting(seconds: float | timedelta) -> str:
    """`3 d 4 h`, `12 min 5 s`, `240 ms`: two units at most."""
    value = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if abs(value) < 0.9995:  # noqa: PLR2004 - what would be rounded to a whole second is one
        return "0 s" if value == 0 else f"{value * 1000:.3g} ms"
    if abs(value) < 9.95:  # noqa: PLR2004 - tenths are told of what is shorter than ten seconds
        return f"{value:.2g} s"
    sign, rest = ("-" if value < 0 else ""), round(abs(value))
    parts = []
    for length, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count} {name}")
        elif parts:
            break
    return sign + " ".join(parts[:2])


def _scaled(value: float, scales: tuple[tuple[float, str], ...], decimals: int | None, plain: str) -> str:
    for scale, name in scales:
        if abs(value) >= scale:
            return f"{_rounded(value / scale, decimals)} {name}"
    return f"{_rounded(value, decimals)} {plain}".rstrip()


def _rounded(value: float, decimals: int | None) -> str:
    if decimals is not None:
        return f"{value:.{decimals}f}"
    return f"{value:.0f}" if abs(value) >= 999.5 or value == int(value) else f"{value:.3g}"  # noqa: PLR2004
