"""Months of simulated usage before the condition of `SerenoQuotaRunsOut`: `python -m benchmarks.quotas`.

Days are log-normal around their mean, in weeks with calm weekends or without; within a day usage is even. The condition
is looked at each hour. Its peers are the line from the period's start (what most plans' own pages draw), and the last
day's speed (`predict_linear(used[1d], …)`).
"""

import sys
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Condition = Callable[[Numbers], NDArray[np.bool_]]

MONTHS = 2_000
DAYS, HOURS = 30, 720
DAILY_VARIATION = 0.5
WEEK = np.array([1.25] * 5 + [0.375] * 2)
SHARES = (0.6, 0.8, 0.9, 1.1, 1.3, 1.5, 2.0, 4.0)
"""Of the quota that a month uses on average; up to 0.8 an alert is wrong, from 1.3 on none is."""
MOST_WRONG, LEAST_RIGHT = 0.02, 0.99

_ELAPSED = np.arange(1, HOURS + 1) / 24
_LEFT = np.clip(DAYS - _ELAPSED, 0.001, None)


def evident(used: Numbers) -> NDArray[np.bool_]:
    """The rule: sereno:quota_at_period_end:least_ratio > 1."""
    doubt: Numbers = np.exp(-2 * DAILY_VARIATION * np.sqrt(1 / _ELAPSED + 1 / _LEFT))
    is_evident: NDArray[np.bool_] = used * (1 + _LEFT / _ELAPSED * doubt) > 1
    return is_evident


def line_from_the_start(used: Numbers) -> NDArray[np.bool_]:
    """The mean since the period's start goes on."""
    return used * (1 + _LEFT / _ELAPSED) > 1


def last_day(used: Numbers) -> NDArray[np.bool_]:
    """The last day's speed goes on; before there is one, that since the start."""
    before = np.concatenate([np.zeros((len(used), 24)), used[:, :-24]], axis=1)
    at_end: Numbers = used + (used - before) / np.minimum(_ELAPSED, 1) * _LEFT
    return at_end > 1


CONDITIONS: Mapping[str, Condition] = {
    "SerenoQuotaRunsOut": evident,
    "line from the start": line_from_the_start,
    "speed of the last day": last_day,
}


def months(share: float, variation: float, *, weekends: bool, seed: int) -> Numbers:
    """Usage at the end of each hour; 1 is all of the quota."""
    chance = np.random.default_rng(seed)
    sigma = np.sqrt(np.log(1 + variation**2))
    daily = chance.lognormal(-(sigma**2) / 2, sigma, (MONTHS, DAYS)) * share / DAYS
    if weekends:
        begins = chance.integers(0, 7, (MONTHS, 1))
        daily = daily * WEEK[(np.arange(DAYS) + begins) % 7]
    return np.cumsum(np.repeat(daily / 24, 24, axis=1), axis=1)


def told(condition: Condition, used: Numbers) -> tuple[float, float]:
    """In which part of the months it is true at some hour before all is used, and after how many days (median)."""
    found = condition(used) & (used < 1)
    happened = found.any(axis=1)
    days = _ELAPSED[found.argmax(axis=1)][happened]
    return float(happened.mean()), float(np.median(days)) if len(days) else float("nan")


def main() -> int:
    """Print the table; 1 where the rule's promise is missed."""
    kept = True
    for variation, weekends in ((0.3, False), (0.5, False), (0.3, True)):
        print(f"\ndays differ by {variation:.0%}{', weekends are calm' if weekends else ''}: months in which it fires")
        print(f"{'month uses':>12}" + "".join(f"{name:>28}" for name in CONDITIONS))
        for seed, share in enumerate(SHARES):
            used = months(share, variation, weekends=weekends, seed=seed)
            results = {name: told(condition, used) for name, condition in CONDITIONS.items()}
            cells = (f"{part:.1%}, day {day:.1f}" if part else "never" for part, day in results.values())
            print(f"{share:>12.0%}" + "".join(f"{cell:>28}" for cell in cells))
            part = results["SerenoQuotaRunsOut"][0]
            kept = kept and (share > 0.8 or part <= MOST_WRONG) and (share < 1.3 or part >= LEAST_RIGHT)  # noqa: PLR2004
    promise = (
        f"wrong in at most {MOST_WRONG:.0%} of months up to 80 % of the quota, right in {LEAST_RIGHT:.0%} from 130 %"
    )
    print(f"\n{promise}: {kept}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
