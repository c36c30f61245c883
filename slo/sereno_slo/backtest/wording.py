"""Figures of a backtest in words, the same on a terminal and on a page."""

from collections.abc import Iterator

from sereno_slo.backtest.asking import written
from sereno_slo.backtest.entries import Hole
from sereno_slo.backtest.notices import Notice
from sereno_slo.backtest.replaying import USUAL, Backtest
from sereno_slo.duration import Duration
from sereno_slo.model import ServiceLevelObjective
from sereno_slo.render.words import exclusions_in_words, own_window_in_words

UNKNOWN = "\N{EN DASH}"
MOST_HOLES = 5
"""The longest ones are named; the others are counted."""


def percent(ratio: float | None, digits: int = 1) -> str:
    """`63.2 %`."""
    return UNKNOWN if ratio is None else f"{ratio * 100:.{digits}f} %"


def attained(ratio: float | None) -> str:
    """As many digits as tell it from 100 %, up to six: `99.9712 %`."""
    if ratio is None:
        return UNKNOWN
    digits = next((digits for digits in range(2, 6) if round((1 - ratio) * 100, digits) > 0), 6)
    return f"{ratio * 100:.{min(digits + 1, 6)}f} %"


def count(number: float) -> str:
    """`12,345`."""
    return f"{number:,.0f}"


def rate(burn_rate: float | None) -> str:
    """A burn rate in three digits."""
    return UNKNOWN if burn_rate is None else f"{burn_rate:.3g}" if burn_rate < 1000 else count(burn_rate)  # noqa: PLR2004


def minutes(number: float | None) -> str:
    """`2h 5m`."""
    if number is None:
        return UNKNOWN
    hours, rest = divmod(round(number), 60)
    days, hours = divmod(hours, 24)
    parts = [f"{value}{unit}" for value, unit in ((days, "d"), (hours, "h"), (rest, "m")) if value]
    return " ".join(parts) or "0m"


def names(notice: Notice) -> str:
    """The alerts of a notice: `SLOErrorBudgetBurn outage, fast`."""
    burns: dict[str, list[str]] = {}
    for episode in notice.episodes:
        known = burns.setdefault(episode.alert, [])
        if episode.burn is not None and episode.burn not in known:
            known.append(episode.burn)
    return "; ".join(f"{alert} {', '.join(burn)}".strip() for alert, burn in burns.items())


def heading(one: Backtest) -> str:
    """What was replayed."""
    slo = one.slo
    return (
        f"{slo.service}/{slo.name}: {slo.objective_percent:g} % over {_window(slo)}, mode {slo.alerting.mode}; "
        f"{written(one.begin_ms)} to {written(one.end_ms)}"
    )


def _window(slo: ServiceLevelObjective) -> str:
    return str(slo.window) if slo.calendar is None else own_window_in_words(slo)


def summary(one: Backtest) -> str:
    """What happened, and what it left."""
    if one.attained_ratio is None:
        return "No events were seen in this time: nothing can be said of it."
    left, lowest = one.outcome.budget_remaining_ratio, one.outcome.lowest_budget_remaining_ratio
    return (
        f"{count(one.events)} events, {count(one.bad_events)} of them bad: {attained(one.attained_ratio)} good. "
        f"Budget left: {percent(left)} at the end, {percent(lowest)} at least. "
        f"{one.outcome.pages} page{'s'[: one.outcome.pages != 1]}, "
        f"{one.outcome.tickets} ticket{'s'[: one.outcome.tickets != 1]}."
    )


def caveats(one: Backtest) -> Iterator[str]:
    """What the figures don't know, and from when on they are whole."""
    if one.history_begin_ms is None:
        return
    if one.history_begin_ms > one.begin_ms:
        seen_days = (one.end_ms - one.history_begin_ms) / 86_400_000
        yield (
            f"The history begins {written(one.history_begin_ms)}: {seen_days:.1f} of {one.minutes / 1440:g} days "
            "could be replayed; alerts see it as a service that began then."
        )
    yield from _young(one, one.slo.longest_window, "the budget's window")
    yield from _young(one, USUAL, "the week that tells the usual traffic")
    unseen = one.minutes - one.minutes_seen
    if unseen:
        yield (
            f"{count(unseen)} of {count(one.minutes)} minutes have no entry ({percent(unseen / one.minutes, 2)}): "
            "they are no events, neither good nor bad."
        )
        yield from _holes(one)
    if one.events > 0 and not one.entries.bad_events[one.entries.bad_events > 0].size:
        yield "Not one bad event was seen in all of the history: does the indicator's selector find them?"
    if one.slo.exclusions:
        yield exclusions_in_words(one.slo).strip()
    if one.slo.group_by is not None:
        yield "Only the whole was replayed, not the groups of group_by."


def _young(one: Backtest, window: Duration, what: str) -> Iterator[str]:
    whole_from = one.whole_from_ms(window)
    if whole_from is not None and whole_from > one.begin_ms:
        when = f"from {written(whole_from)} on" if whole_from < one.end_ms else "at no moment of this time"
        yield f"{what[0].upper()}{what[1:]} ({window}) lies wholly within the history {when}."


def _holes(one: Backtest) -> Iterator[str]:
    longest = sorted(one.holes, key=lambda hole: hole.begin - hole.end)
    shown = sorted(longest[:MOST_HOLES], key=lambda hole: hole.begin)
    for hole in shown:
        yield f"Not seen: {_stretch(one, hole)} ({minutes(hole.end - hole.begin)}): {hole.cause}."
    if len(longest) > len(shown):
        yield f"And {len(longest) - len(shown)} shorter stretches of five minutes or more (--format json has all)."


def _stretch(one: Backtest, hole: Hole) -> str:
    return f"{written(one.entries.at_ms(hole.begin))} to {written(one.entries.at_ms(hole.end))}"


def suggestion(one: Backtest) -> str:
    """The objective that the past suggests, and why."""
    found = one.suggestion
    if found.worst_error_ratio is None:
        return "No objective is suggested: there is no window with events to judge by."
    what = "whole window" if found.is_whole else "window, which the history doesn't hold wholly,"
    worst = f"the worst {what} had {percent(found.worst_error_ratio, 4)} bad events"
    if found.objective_percent is None:
        return (
            f"No objective is suggested: {worst}, and none of the common ones would have kept a fifth of a budget "
            f"of at least {_least(one.slo)} bad events."
        )
    return (
        f"Suggested objective: {found.objective_percent:g} %, the strictest common one of whose budget a fifth "
        f"was left in every window, and whose budget is at least {_least(one.slo)} bad events; {worst}."
    )


def _least(slo: ServiceLevelObjective) -> int:
    return slo.alerting.min_bad_events
