"""Figures as people read them on a terminal: counts, shares, times."""

from datetime import datetime, timedelta

_WHOLE_FROM = 10


def count(value: float) -> str:
    """`43,200`, `4.32`, `0.5`: digits as far as they say something."""
    if value == round(value) or abs(value) >= _WHOLE_FROM:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def share(ratio: float | None) -> str:
    """`28.2 %`; a dash where nobody knows. What is above 0 never looks like nothing."""
    if ratio is None:
        return "-"
    if 0 < abs(ratio) < 0.0005:  # noqa: PLR2004 - it would be shown as 0.0 %
        return f"{100 * ratio:.2g} %"
    return f"{100 * ratio:.1f} %"


def small_share(ratio: float) -> str:
    """Error ratios: `0.0717 %`, three digits that say something."""
    return f"{100 * ratio:.3g} %"


def rate(burn_rate: float | None) -> str:
    """`14.4`, a multiple of what the objective allows; a dash where nobody knows."""
    return "-" if burn_rate is None else f"{burn_rate:.1f}" if burn_rate < 1000 else f"{burn_rate:,.0f}"  # noqa: PLR2004


def length(seconds: float) -> str:
    """`2d4h`, `35m`: the two largest units."""
    minutes = round(seconds / 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days}d{f'{hours}h' * bool(hours)}"
    if hours:
        return f"{hours}h{f'{rest}m' * bool(rest)}"
    return f"{rest}m" if rest else "<1m" if seconds > 0 else "0m"


def minute(moment: datetime) -> str:
    """`2026-11-20 10:00`, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M}"


def span(begin: datetime, end: datetime) -> str:
    """`2026-11-20 10:00-11:00`; with the second date where it is another one."""
    is_near = begin.date() == end.date() or end - begin <= timedelta(hours=1)
    return f"{minute(begin)}-{end:%H:%M}" if is_near else f"{minute(begin)} - {minute(end)}"
