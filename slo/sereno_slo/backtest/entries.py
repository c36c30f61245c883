"""The ledger's entries of the past, minute by minute: what everything else of a backtest is computed from."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sereno_slo.backtest.arrays import Array, Firing
from sereno_slo.backtest.asking import MINUTE_MS
from sereno_slo.backtest.raw import stretches

LEAST_HOLE_MINUTES = 5
"""Shorter stretches without an entry are late scrapes and restarts."""


class Cause(StrEnum):
    """Why minutes have no entry."""

    NOTHING_SCRAPED = "nothing was scraped"
    NO_TARGETS = "no target was known"
    TARGETS_DOWN = "no target was up"
    NO_SERIES = "targets were up, but no series matched"


@dataclass(frozen=True, slots=True)
class Hole:
    """Minutes without an entry, from `begin` up to, not including, `end`; places in the entries' arrays."""

    begin: int
    end: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class Entries:
    """What each minute's entry says; NaN where there is none. The first minute is evaluated at a midnight (UTC)."""

    origin_ms: int
    events: Array
    bad_events: Array
    coverage: Array
    no_data: tuple[Array, ...]
    """The value of each `SLONoData` rule's expression, in the order of the rules; NaN where its condition fails."""
    targets: Array
    """How many targets were known."""
    targets_up: Array
    evaluated: Firing
    """Whether a Prometheus was there that could have evaluated rules, and entries had begun."""

    @property
    def minutes(self) -> int:
        """How many minutes there are."""
        return len(self.events)

    @property
    def first(self) -> int | None:
        """The first minute that has an entry; None where none has."""
        seen = np.flatnonzero(~np.isnan(self.events))
        return int(seen[0]) if len(seen) else None

    def at_ms(self, minute: int) -> int:
        """When the minute is evaluated."""
        return self.origin_ms + minute * MINUTE_MS

    def minute_at(self, moment_ms: int) -> int:
        """The first minute that is evaluated at the moment or after it."""
        return -((self.origin_ms - moment_ms) // MINUTE_MS)

    def holes(self, begin: int) -> tuple[Hole, ...]:
        """Where minutes from `begin` on have no entry, though entries had begun."""
        unseen = np.isnan(self.events)
        unseen[: max(begin, self.minutes if self.first is None else self.first)] = False
        return tuple(
            Hole(start, end, self._cause(start, end))
            for start, end in stretches(unseen)
            if end - start >= LEAST_HOLE_MINUTES
        )

    def _cause(self, begin: int, end: int) -> Cause:
        during = slice(begin, end)
        # At its ends something may have been scraped: recorded entries begin a minute after the first scrape.
        if not self.evaluated[begin + 1 : end - 1].any():
            return Cause.NOTHING_SCRAPED
        if np.isnan(self.targets[during]).all():
            return Cause.NO_TARGETS
        return Cause.TARGETS_DOWN if np.isnan(self.targets_up[during]).all() else Cause.NO_SERIES
