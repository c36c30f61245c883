"""What leaves the window when, and what the remaining budget will be if nothing more fails."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sereno_slo.duration import Duration
from sereno_slo.explain.account import SLOT_MS, Account, moment
from sereno_slo.explain.spending import DAY_MS, HOUR_MS, Stretch

_WEEK_MS = 7 * DAY_MS
_HORIZONS = tuple(map(Duration.parse, ("1h", "6h", "1d", "3d", "7d", "14d", "30d")))
_MOST_LEAVING = 5
_LEAST_LEAVING_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Leaving:
    """An hour of spending that leaves the window, and gives its share of the budget back."""

    spent: Stretch
    leaves_from: datetime
    leaves_until: datetime


@dataclass(frozen=True, slots=True)
class Forecast:
    """The remaining budget at a moment to come, if nothing more fails."""

    after: Duration
    at: datetime
    remaining_ratio: float


@dataclass(frozen=True, slots=True)
class Recovery:
    """When the remaining budget reaches a threshold again, if nothing more fails."""

    threshold_ratio: float
    at: datetime | None
    """None where it doesn't within the window's length: too few events."""


@dataclass(frozen=True, slots=True)
class RollingOut:
    """The window's future. It assumes no failures, and traffic as it was a week, or else a day, before."""

    leaving: tuple[Leaving, ...]
    """The hours that spent most, at least a hundredth of the budget each, in the order in which they leave."""
    forecasts: tuple[Forecast, ...]
    recoveries: tuple[Recovery, ...]
    """Of the thresholds that the remaining budget is below, the lowest first."""
    whole_again_at: datetime | None
    """When a calendar's window ends: all of it leaves at once, and nothing before; None of rolling windows."""


def rolling_out(account: Account, hours: Iterable[Stretch], thresholds: Iterable[float]) -> RollingOut:
    """The future of the account; thresholds are remaining ratios."""
    ends_ms = account.ends_ms
    remaining = _remaining_by_slot(account) if ends_ms is None else _remaining_until(account, ends_ms)
    return RollingOut(
        tuple(_leaving(account, hours)) if ends_ms is None else (),
        _forecasts(account, remaining),
        _recoveries(account, remaining, thresholds),
        None if ends_ms is None else moment(ends_ms),
    )


def _leaving(account: Account, hours: Iterable[Stretch]) -> list[Leaving]:
    window, hour = (timedelta(milliseconds=each) for each in (account.window.milliseconds, HOUR_MS))
    large = [each for each in hours if each.budget_share >= _LEAST_LEAVING_SHARE]
    largest = sorted(large, key=lambda each: -each.bad_events)[:_MOST_LEAVING]
    return [
        Leaving(each, each.begin + window, each.begin + hour + window)
        for each in sorted(largest, key=lambda each: each.begin)
    ]


def _forecasts(account: Account, remaining: Sequence[float]) -> tuple[Forecast, ...]:
    horizons = [horizon for horizon in _HORIZONS if horizon.milliseconds // SLOT_MS < len(remaining)]
    return tuple(
        Forecast(
            horizon,
            moment(account.evaluated_ms + horizon.milliseconds),
            remaining[horizon.milliseconds // SLOT_MS],
        )
        for horizon in horizons
    )


def _recoveries(account: Account, remaining: Sequence[float], thresholds: Iterable[float]) -> tuple[Recovery, ...]:
    def recovered(threshold: float) -> datetime | None:
        found = next((slot for slot, ratio in enumerate(remaining) if ratio >= threshold), None)
        if found is None:
            return None
        at_ms = account.evaluated_ms + found * SLOT_MS
        return moment(at_ms if account.ends_ms is None else min(at_ms, account.ends_ms))

    missed = sorted({threshold for threshold in thresholds if remaining[0] < threshold})
    return tuple(Recovery(threshold, recovered(threshold)) for threshold in missed)


def _remaining_until(account: Account, ends_ms: int) -> list[float]:
    """The same of a calendar's window: nothing leaves it, and its budget holds the usual events to come already."""
    budget = account.budget_events
    now = 1 - account.total_bad_events / budget if budget > 0 else 1.0
    slots = -(-(ends_ms - account.evaluated_ms) // SLOT_MS)
    return [*[now] * slots, 1.0]


def _remaining_by_slot(account: Account) -> list[float]:
    """The remaining ratio now, in five minutes, and so on until everything that is in the window has left it."""
    events, bad_events = account.total_events, sum(account.bad_events.values())
    events_by_slot, bad_by_slot = (_by_slots_left(account, points) for points in (account.events, account.bad_events))
    coming = _coming_events(account)
    remaining = []
    for slot in range(account.window.milliseconds // SLOT_MS + 1):
        if slot:
            counts = not account.counting.left_out_by(account.evaluated_ms + slot * SLOT_MS)
            events += counts * next(coming) - events_by_slot.get(slot, 0.0)
            bad_events -= bad_by_slot.get(slot, 0.0)
        spent = max(bad_events, 0.0) / events / account.slo.error_budget_ratio if events > 0 else 0.0
        remaining.append(1 - spent)
    return remaining


def _by_slots_left(account: Account, points: dict[int, float]) -> dict[int, float]:
    """What leaves with each evaluation to come: the next one is 1."""
    leaving: dict[int, float] = defaultdict(float)
    for at_ms, value in points.items():
        leaving[-(-(at_ms - account.start_ms) // SLOT_MS)] += value
    return leaving


def _coming_events(account: Account) -> Iterator[float]:
    """The events of every five minutes to come: those of a week, or else a day, before, over and over.

    Where nothing was evaluated then, it is as many as on average.
    """
    of_all = account.all_events
    age_ms = account.evaluated_ms - min(of_all)
    period_ms = next((period for period in (_WEEK_MS, DAY_MS) if period <= age_ms + SLOT_MS), age_ms + SLOT_MS)
    slots = max(1, period_ms // SLOT_MS)
    by_slots_ago: dict[int, float] = defaultdict(float)
    for at_ms, value in of_all.items():
        by_slots_ago[(account.evaluated_ms - at_ms) // SLOT_MS] += value
    usual = sum(by_slots_ago.values()) / len(by_slots_ago)
    slot = 0
    while True:
        slot += 1
        yield by_slots_ago.get(-slot % slots, usual)
