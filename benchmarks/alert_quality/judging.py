"""Pages against labels: which were right, which incidents were found, and how fast."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sereno_slo.backtest.arrays import Firing

from benchmarks.alert_quality.labels import Labelled, Worth
from benchmarks.alert_quality.world import HISTORY_DAYS, SLOTS_A_DAY, SLOTS_A_MINUTE

_APART_MINUTES = 5
_AFTERGLOW_MINUTES = 10
"""A page that begins so soon after an incident's end is its page."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification: from when it is told until it is resolved, in slots."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one policy did in one scenario, by one label."""

    right: int
    grey: int
    wrong: tuple[Notice, ...]
    missed: tuple[Labelled, ...]
    detection_minutes: tuple[float, ...]
    """Of every incident that had to be found and was."""
    reset_minutes: tuple[float, ...]
    """From an incident's end until its page is resolved."""

    @property
    def sent(self) -> int:
        """All notices."""
        return self.right + self.grey + len(self.wrong)


def notices(firing: Firing) -> tuple[Notice, ...]:
    """Notifications of one group as Alertmanager sends them: told anew when it was resolved for a while."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], firing, [False]]).astype(int)))
    told: list[Notice] = []
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if told and begin - told[-1].end <= _APART_MINUTES * SLOTS_A_MINUTE:
            told[-1] = Notice(told[-1].begin, end)
        else:
            told.append(Notice(begin, end))
    return tuple(told)


def judge(firing: Firing, incidents: Sequence[tuple[Labelled, Worth]]) -> Verdict:
    """The notices of the judged month against its incidents and what each of them is worth."""
    told = [notice for notice in notices(firing) if notice.begin >= HISTORY_DAYS * SLOTS_A_DAY]
    worths = [_worth_of(notice, incidents) for notice in told]
    found = {place: _first(told, incident) for place, (incident, worth) in enumerate(incidents) if worth is Worth.YES}
    pairs = [(incidents[place][0], notice) for place, notice in found.items() if notice]
    return Verdict(
        right=worths.count(Worth.YES),
        grey=worths.count(Worth.GREY),
        wrong=tuple(notice for notice, worth in zip(told, worths, strict=True) if worth is Worth.NO),
        missed=tuple(incidents[place][0] for place, notice in found.items() if not notice),
        detection_minutes=tuple(max(0, notice.begin - each.begin) / SLOTS_A_MINUTE for each, notice in pairs),
        reset_minutes=tuple(max(0, _last(told, each).end - each.end) / SLOTS_A_MINUTE for each, _ in pairs),
    )


def _until(incident: Labelled) -> int:
    return incident.end + _AFTERGLOW_MINUTES * SLOTS_A_MINUTE


def _worth_of(notice: Notice, incidents: Iterable[tuple[Labelled, Worth]]) -> Worth:
    during = {worth for each, worth in incidents if each.begin <= notice.begin < _until(each)}
    return next((worth for worth in (Worth.YES, Worth.GREY) if worth in during), Worth.NO)


def _overlapping(told: Iterable[Notice], incident: Labelled) -> list[Notice]:
    return [notice for notice in told if notice.begin < _until(incident) and notice.end > incident.begin]


def _first(told: Iterable[Notice], incident: Labelled) -> Notice | None:
    return next(iter(_overlapping(told, incident)), None)


def _last(told: Iterable[Notice], incident: Labelled) -> Notice:
    return _overlapping(told, incident)[-1]
