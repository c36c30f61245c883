"""The ledger in plain Python, twice: minute by minute as docs/ledger.md words it, and by what each process counted.

Neither shares code with the compiler, and neither knows PromQL.
"""

from collections.abc import Iterable, Sequence

from support.scrape_history import MINUTE_MS, Recorded, Sample, StoredTarget

LOOK_BACK_MS = 5 * MINUTE_MS
GAP_MS = 23 * MINUTE_MS
YOUNG_SECONDS = 25 * 60
LONG_AGO_MS = tuple((hours * 60 + 10) * MINUTE_MS for hours in (1, 6, 24))


def instant(series: Recorded, at_ms: int) -> float | None:
    """What an instant look-up finds: the last sample of five minutes, unless the series was marked as ended."""
    latest = _last(series, at_ms - LOOK_BACK_MS + 1, at_ms)
    return latest.value if latest else None


def last_value(series: Recorded, from_ms: int, to_ms: int) -> float | None:
    """The last value of a closed range; markers are no values."""
    found = _last(series, from_ms, to_ms, markers=False)
    return found.value if found else None


def _last(series: Recorded, from_ms: int, to_ms: int, *, markers: bool = True) -> Sample | None:
    inside = [s for s in series.samples if from_ms <= s.time_ms <= to_ms and (markers or s.value is not None)]
    return inside[-1] if inside else None


def entry(targets: Iterable[StoredTarget], codes: Sequence[str], at_ms: int) -> float | None:
    """The minute's entry over all counters of these codes; None where no counter says anything."""
    parts = [
        part
        for target in targets
        for code in codes
        if (part := _of_counter(target, target.counters[code], at_ms)) is not None
    ]
    return sum(parts) if parts else None


def _of_counter(target: StoredTarget, counter: Recorded, at_ms: int) -> float | None:
    minute_ago = at_ms - MINUTE_MS
    now = last_value(counter, minute_ago, at_ms)
    if now is None:
        return None
    if _began_with_process(target, counter, at_ms):
        return now
    before = last_value(counter, minute_ago - GAP_MS, minute_ago)
    if before is not None and before <= now:
        return now - before
    if instant(counter, minute_ago) is not None:
        return now
    if any(_seen_in_same_process(target, counter, at_ms, ago) for ago in LONG_AGO_MS):
        return 0
    return now if _watched(target, at_ms) else None


def _began_with_process(target: StoredTarget, counter: Recorded, at_ms: int) -> bool:
    start = instant(target.start, at_ms)
    if start is None or not _young(target, at_ms) or instant(counter, at_ms) is None:
        return False
    if any(_seen_in_same_process(target, counter, at_ms, ago * MINUTE_MS) for ago in (1, 6, 11, 16, 21)):
        return False
    return not _unseen_for_a_while(target, start, at_ms)


def _unseen_for_a_while(target: StoredTarget, start: float, at_ms: int) -> bool:
    before = last_value(target.start, at_ms - MINUTE_MS - GAP_MS, at_ms - MINUTE_MS)
    return instant(target.start, at_ms - MINUTE_MS) is None and before is not None and start - before <= 5


def _seen_in_same_process(target: StoredTarget, counter: Recorded, at_ms: int, ago: int) -> bool:
    start, then = instant(target.start, at_ms), instant(target.start, at_ms - ago)
    if start is None or then is None or instant(counter, at_ms - ago) is None:
        return False
    return start - then <= 5


def _watched(target: StoredTarget, at_ms: int) -> bool:
    seen = (s for s in target.up.samples if at_ms - MINUTE_MS - GAP_MS <= s.time_ms <= at_ms - MINUTE_MS)
    return any(sample.value == 1 for sample in seen)


def _young(target: StoredTarget, at_ms: int) -> bool:
    start = instant(target.start, at_ms)
    return start is not None and at_ms / 1000 - start < YOUNG_SECONDS


def counted_in_lives(target: StoredTarget, counter: Recorded, evaluations_ms: Sequence[int]) -> float:
    """All that a counter counted in the lives of its process, as far as evaluations saw it.

    Of a process's count, what it held when it was first seen is left out if it was already old and unwatched then. What
    was scraped after the last evaluation before an outage of Prometheus isn't seen by any evaluation. Right as long as
    nothing is out of sight for longer than the gap.
    """
    total = 0.0
    for at_ms in evaluations_ms:
        now = _last(counter, at_ms - MINUTE_MS + 1, at_ms, markers=False)
        if now is None or now.value is None:
            continue
        before = _last(counter, 0, at_ms - MINUTE_MS, markers=False)
        if before is None and not (_watched(target, at_ms) or _young(target, at_ms)):
            continue
        same_life = before is not None and before.life == now.life
        total += now.value - ((before.value or 0) if before is not None and same_life else 0)
    return total


def growth_while_watched(target: StoredTarget, counter: Recorded, evaluations_ms: Sequence[int]) -> float:
    """From the first to the last sample that an evaluation saw, and what came before if that was new.

    Right where no process begins anew.
    """
    entered = [at_ms for at_ms in evaluations_ms if _last(counter, at_ms - MINUTE_MS + 1, at_ms, markers=False)]
    if not entered:
        return 0
    first = _last(counter, entered[0] - MINUTE_MS + 1, entered[0], markers=False)
    last = _last(counter, 0, entered[-1], markers=False)
    is_new = _watched(target, entered[0]) or _young(target, entered[0])
    before = 0 if is_new or first is None else first.value or 0
    return ((last.value or 0) if last else 0) - before
