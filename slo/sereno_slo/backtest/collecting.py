"""The entries of a stretch of the past, from raw series by the very rules that are compiled.

Counters are read as a grid of minutes, and their rules evaluated here: a server that evaluates an entry itself takes
many times as long. Time slices and native histograms are few series: their entries are asked of the server.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from sereno_slo.backtest.arrays import Array, Firing
from sereno_slo.backtest.asking import MINUTE_MS, Answer, Asker, Minutes, asking
from sereno_slo.backtest.entries import LEAST_HOLE_MINUTES, Entries
from sereno_slo.backtest.interpreter import Samples
from sereno_slo.backtest.raw import INSTANT, Grid, Look, Window, looks, stretches
from sereno_slo.backtest.unsteady import Instants, with_instants
from sereno_slo.backtest.vectors import Vector
from sereno_slo.duration import MINUTE
from sereno_slo.history import Reader
from sereno_slo.history.expressions import entry_expressions
from sereno_slo.model import NativeLatency, ServiceLevelObjective, Settings
from sereno_slo.plan import AlertingRule, RecordingRule, series
from sereno_slo.plan.counting import GAP, Raw, counters_of
from sereno_slo.plan.entries import entries as entry_rules
from sereno_slo.plan.no_data import no_data_alerts
from sereno_slo.plan.series import Ledger
from sereno_slo.promql import Aggregation, Call, Expr, Selector

_POINTS_AT_ONCE = 600_000
"""So many points are read and held at once: some 100 MiB as they come in."""
_SHORTEST_PIECE, _LONGEST_PIECE = 60, 3 * 1440
_FIRST_PIECE = 360
_NATIVE_PIECE = 240  # what the server computes itself takes it longer
_STEADY = round(GAP / MINUTE) + 30
"""Where everything grows, rules look back for the last sample, and at what entries said some minutes before."""
_CONTEXT = 30
"""Rules of no data look at entries some minutes back."""

TARGETS, TARGETS_UP = "targets", "targets up"


def target_questions(slo: ServiceLevelObjective, raw: Raw) -> dict[str, Expr]:
    """How many targets there are, and how many are up."""
    up = raw.target(slo.indicator.total, "up")
    # Samples of the very minute: an instant look-up would find those of a server that stopped minutes ago.
    answered = Call("max_over_time", (up.over(MINUTE),))
    return {TARGETS: Aggregation("count", answered), TARGETS_UP: Aggregation("count", answered.equals(1))}


@dataclass(frozen=True, slots=True)
class _Work:
    """What is asked and evaluated, derived from the rules."""

    rules: tuple[RecordingRule, ...]
    """Of the entries that are evaluated here."""
    by_server: dict[str, Expr]
    no_data: tuple[AlertingRule, ...]
    targets: dict[str, Expr]
    looks: frozenset[Look]
    counters: tuple[Selector, ...]
    raw: Raw

    @classmethod
    def of(cls, slo: ServiceLevelObjective, settings: Settings) -> "_Work":
        raw, counters = Raw(settings), counters_of(slo.indicator)
        rules, by_server = entry_rules(slo, settings), {}
        if counters is None:
            asked = entry_expressions(slo, Ledger.of(slo), settings)
            by_server = {name: asked[name] for name in (series.EVENTS_ENTRY, series.BAD_EVENTS_ENTRY)}
            rules = tuple(rule for rule in rules if rule.record not in by_server)
        targets = target_questions(slo, raw)
        no_data = no_data_alerts(slo, settings)
        exprs = (*(rule.expr for rule in rules), *(rule.expr for rule in no_data), *targets.values())
        delay = settings.evaluation_delay
        found = frozenset(look for expr in exprs for look in looks(expr, delay))
        both = () if counters is None else tuple(dict.fromkeys((counters.total, counters.part)))
        return cls(rules, by_server, no_data, targets, found, both, raw)

    @property
    def history_minutes(self) -> int:
        """How far back the rules look."""
        return max((look.minutes_ago + look.minutes for look in self.looks), default=0) + _CONTEXT

    @property
    def in_full(self) -> tuple[Grid, ...]:
        """The questions that are asked for every minute; instant look-ups of counters are only where they matter."""
        grids = dict.fromkeys(look.grid for look in self.looks)
        return tuple(grid for grid in grids if grid.way != INSTANT or grid.series not in self.counters)


def collected(
    slo: ServiceLevelObjective,
    settings: Settings,
    reader: Reader,
    minutes: Minutes,
    progress: Callable[[float], None],
) -> Entries:
    """The entries of these minutes, the first of which is a midnight; `progress` is told the part that is done.

    Raises:
        HistoryNotRead: a stretch couldn't be read.
    """
    work = _Work.of(replace(slo, group_by=None), settings)
    native = isinstance(slo.indicator, NativeLatency)
    parts: list[dict[str, Array]] = []
    with asking(reader) as asker:
        longest = _NATIVE_PIECE if native else _LONGEST_PIECE
        for window, added, answers in _windows(work, asker, minutes, longest):
            parts.append(_evaluated(work, window, added, answers))
            progress(min(1.0, sum(len(part[TARGETS]) for part in parts) / (minutes.count + work.history_minutes)))
        columns = {name: np.concatenate([part[name] for part in parts])[-minutes.count :] for name in parts[0]}
        return _entries(columns, minutes, len(work.no_data), asker)


def _entries(columns: dict[str, Array], minutes: Minutes, no_data: int, asker: Asker) -> Entries:
    entries = Entries(
        minutes.first_ms,
        columns[series.EVENTS_ENTRY],
        columns[series.BAD_EVENTS_ENTRY],
        columns[series.COVERAGE_ENTRY],
        tuple(columns[str(place)] for place in range(no_data)),
        columns[TARGETS],
        columns[TARGETS_UP],
        np.ones(minutes.count, dtype=np.bool_),
    )
    return replace(entries, evaluated=evaluated_minutes(entries, minutes, asker))


def evaluated_minutes(entries: Entries, minutes: Minutes, asker: Asker) -> Firing:
    """When rules could have been evaluated: not before the first entry, and not where nothing at all was scraped."""
    evaluated = np.ones(minutes.count, dtype=np.bool_)
    begin = minutes.count if entries.first is None else entries.first
    evaluated[:begin] = False
    silent = np.isnan(entries.events) & np.isnan(entries.targets) & evaluated
    anything = Aggregation("count", Call("max_over_time", (Selector("up").over(MINUTE),)))
    for start, end in stretches(silent):
        if end - start >= LEAST_HOLE_MINUTES:
            scraped = asker.whole(anything, minutes.part(start, end)).get((), np.full(end - start, np.nan))
            evaluated[start:end] = ~np.isnan(scraped)
    return evaluated


def _windows(
    work: _Work, asker: Asker, minutes: Minutes, longest: int
) -> Iterator[tuple[Window, int, dict[str, Vector]]]:
    """Raw series piece by piece with the minutes before; how many minutes are new, and what the server computed."""
    history, delay = work.history_minutes, work.raw.settings.evaluation_delay
    whole = Minutes(minutes.first_ms - history * MINUTE_MS, minutes.count + history)
    pieces = _Pieces(whole, longest)
    before: Window | None = None
    instants = Instants(work.counters, work.looks, work.raw)
    upcoming = _ask(work, asker, pieces.next())
    while upcoming is not None:
        asked, upcoming = upcoming, _ask(work, asker, pieces.next())
        grids = {grid: asker.wait(future) for grid, future in asked.grids.items()}
        answers = {name: asker.wait(future) for name, future in asked.by_server.items()}
        pieces.learn(asked.piece, grids.values())
        asker.tidy()
        # Until it is known better, a counter's instant look-up is the last sample of its minute (unsteady.py).
        grids |= {grid: grids[Grid("last", grid.series)] for grid in instants.grids}
        window = Window(asked.piece.first_ms // 1000, asked.piece.count, grids, delay)
        window = window if before is None else before.followed_by(window, history)
        before, is_steady = with_instants(window, asked.piece, instants, asker)
        yield _steady(before, asked.piece, instants) if is_steady else before, asked.piece.count, answers


def _steady(window: Window, piece: Minutes, instants: Instants) -> Window:
    """Where everything grows, nobody has to look far back, or at where series begin and end (unsteady.py)."""
    short = window.last(piece.count + _STEADY)
    for grid in instants.grids:
        short = short.with_grid(grid, {})
    return short


@dataclass(frozen=True, slots=True)
class _Asked:
    piece: Minutes
    grids: dict[Grid, Answer]
    by_server: dict[str, Answer]


def _ask(work: _Work, asker: Asker, piece: Minutes | None) -> _Asked | None:
    if piece is None:
        return None
    delay = work.raw.settings.evaluation_delay
    grids = {grid: asker.ask(grid.question(delay), piece) for grid in work.in_full}
    return _Asked(piece, grids, {name: asker.ask(expr, piece) for name, expr in work.by_server.items()})


class _Pieces:
    """Cuts the past into pieces of about as many points each, from what the last ones held."""

    def __init__(self, whole: Minutes, longest: int) -> None:
        self._whole, self._longest = whole, longest
        self._done = 0
        self._length = min(_FIRST_PIECE, longest)

    def next(self) -> Minutes | None:
        """The next piece; None at the end."""
        begin = self._done
        if begin >= self._whole.count:
            return None
        self._done = min(begin + self._length, self._whole.count)
        return self._whole.part(begin, self._done)

    def learn(self, piece: Minutes, found: Iterable[Vector]) -> None:
        """What a piece held."""
        points = sum(int(np.count_nonzero(~np.isnan(values))) for vector in found for values in vector.values())
        # Where there is nothing, there may be thousands of series in the next piece.
        fitting = _POINTS_AT_ONCE * piece.count // points if points else 2 * _FIRST_PIECE
        self._length = min(max(fitting, _SHORTEST_PIECE), self._longest)


def _evaluated(work: _Work, window: Window, added: int, answers: dict[str, Vector]) -> dict[str, Array]:
    """The rules' values at the minutes that are new."""
    samples = Samples(window.minutes, raw=window)
    nothing = np.full(added, np.nan)
    for name, vector in answers.items():
        samples.series[name] = _at_end(vector.get((), nothing), window.minutes)
    for rule in work.rules:
        samples.series[rule.record] = samples.one(rule.expr)
    values = {
        **samples.series,
        **{str(place): samples.one(rule.expr) for place, rule in enumerate(work.no_data)},
        **{name: samples.one(expr) for name, expr in work.targets.items()},
    }
    return {name: array[window.minutes - added :] for name, array in values.items()}


def _at_end(values: Array, minutes: int) -> Array:
    return np.concatenate([np.full(minutes - len(values), np.nan), values])
