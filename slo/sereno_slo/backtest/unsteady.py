"""Where a counter does more than grow, and its instant look-ups have to be asked for.

An instant look-up is the last sample of the last five minutes unless the series was marked as ended; the last sample
of a minute doesn't see such markers. Entries need the difference only in minutes in which a series has no smaller
sample before (it was born, was reset, or came back) or in which a process is young: everywhere else the branch *grown*
(docs/ledger.md) decides, which reads last samples only. Asking for these minutes alone halves what has to be read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from sereno_slo.backtest.arrays import Firing
from sereno_slo.backtest.asking import Asker, Minutes
from sereno_slo.backtest.interpreter import Samples
from sereno_slo.backtest.raw import INSTANT, Grid, Look, Window, any_present, stretches
from sereno_slo.backtest.vectors import Vector
from sereno_slo.duration import Duration
from sereno_slo.plan.counting import Raw
from sereno_slo.promql import Call, Selector

# More than any branch of an entry calls young: what is asked for beyond need changes nothing.
_YOUNG = Duration.parse("30m")
# Pauses between minutes that are asked for: shorter ones are cheaper to read than to leave out.
_FORGIVEN_MINUTES = 15


@dataclass
class Instants:
    """Instant look-ups of counters: which minutes of them are true, and not stand-ins, up to now."""

    counters: tuple[Selector, ...]
    looks: frozenset[Look]
    raw: Raw
    known: dict[Grid, Firing] = field(default_factory=dict)

    @property
    def grids(self) -> tuple[Grid, ...]:
        """The questions."""
        return tuple(
            dict.fromkeys(
                look.grid for look in self.looks if look.grid.way == INSTANT and look.grid.series in self.counters
            )
        )

    def minutes_ago(self, grid: Grid) -> frozenset[int]:
        """How far back the rules look at it."""
        return frozenset(look.minutes_ago for look in self.looks if look.grid == grid)


def with_instants(window: Window, piece: Minutes, instants: Instants, asker: Asker) -> tuple[Window, bool]:
    """The window with true look-ups wherever they matter to its last minutes, those of the piece.

    And whether they matter anywhere: a piece in which everything grows doesn't look far back.
    """
    is_steady = True
    minutes = Minutes(piece.last_ms - (window.minutes - 1) * 60_000, window.minutes)
    delay = instants.raw.settings.evaluation_delay
    for grid in instants.grids:
        known = _known(instants, grid, window.minutes, piece.count)
        needed = _needed(window, grid.series, instants.raw)
        needed[: window.minutes - piece.count] = False
        is_steady = is_steady and not needed.any()
        wanted = np.zeros_like(needed)
        for ago in instants.minutes_ago(grid):
            wanted[: max(0, window.minutes - ago)] |= needed[ago:]
        spans = list(stretches(wanted & ~known, _FORGIVEN_MINUTES))
        asked = [asker.ask(grid.question(delay), minutes.part(*span)) for span in spans]
        found = {span: asker.wait(question) for span, question in zip(spans, asked, strict=True)}
        for begin, end in spans:
            known[begin:end] = True
        instants.known[grid] = known
        window = window.with_grid(grid, _overwritten(window.grids[grid], found, window.minutes))
    return window, is_steady


def _known(instants: Instants, grid: Grid, minutes: int, added: int) -> Firing:
    """Which minutes of the window are true: those of the windows before that are still in it."""
    known = np.zeros(minutes, dtype=np.bool_)
    before = instants.known.get(grid)
    if before is not None and minutes > added:
        known[: minutes - added] = before[len(before) - (minutes - added) :]
    return known


def _needed(window: Window, counter: Selector, raw: Raw) -> Firing:
    """Minutes in which a series of the counter does more than grow, or a process is young."""
    samples = Samples(window.minutes, raw=window)
    now, before = raw.now(counter), raw.before(counter)
    grown = samples.value(now - (before <= now))
    nothing = np.full(window.minutes, np.nan)
    needed = np.zeros(window.minutes, dtype=np.bool_)
    for labels, values in samples.value(now).items():
        needed |= ~np.isnan(values) & np.isnan(grown.get(labels, nothing))
    if raw.settings.process_start_metric is not None:
        start = raw.target(counter, raw.settings.process_start_metric)
        young = samples.value(start > Call("time") - (_YOUNG.seconds + raw.delay_seconds))
        needed |= any_present(young.values(), window.minutes)
    return needed


def _overwritten(vector: Vector, found: Mapping[tuple[int, int], Vector], minutes: int) -> Vector:
    """With true look-ups: series that weren't found at a minute aren't there."""
    if not found:
        return vector
    result = {labels: values.copy() for labels, values in vector.items()}
    for labels in _all_labels(found):
        result.setdefault(labels, np.full(minutes, np.nan))
    for (begin, end), true in found.items():
        for labels, values in result.items():
            values[begin:end] = true.get(labels, np.nan)
    return result


def _all_labels(found: Mapping[tuple[int, int], Vector]) -> Iterator[tuple[tuple[str, str], ...]]:
    for vector in found.values():
        yield from vector
