"""A backtest from a server to its result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sereno_slo.backtest.asking import MINUTE_MS, Minutes
from sereno_slo.backtest.collecting import collected
from sereno_slo.backtest.entries import Entries
from sereno_slo.backtest.incidents import Incident
from sereno_slo.backtest.notices import Period
from sereno_slo.backtest.replaying import USUAL, Backtest, Rival, backtested
from sereno_slo.duration import MINUTE
from sereno_slo.history import Reader
from sereno_slo.model import ServiceLevelObjective, Settings

_DAY_MINUTES = 1440
Collect: TypeAlias = Callable[[ServiceLevelObjective, Settings, Reader, Minutes, Callable[[float], None]], Entries]
"""How entries are read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """So many days of the past, up to a whole minute."""

    end_ms: int
    days: int

    @property
    def begin_ms(self) -> int:
        """The period's begin."""
        return self.end_ms - self.days * _DAY_MINUTES * MINUTE_MS


@dataclass(frozen=True, slots=True)
class OtherSpec:
    """A spec of the same SLO to compare with."""

    name: str
    slo: ServiceLevelObjective
    settings: Settings


def run_backtest(
    slo: ServiceLevelObjective,
    settings: Settings,
    reader: Reader,
    asked: Asked,
    *,
    incidents: Sequence[Incident] = (),
    others: Sequence[OtherSpec] = (),
    progress: Callable[[float], None],
    collect: Collect = collected,
) -> Backtest:
    """Read the past of an SLO and replay its rules over it.

    Before the period, as much is read as fills its windows and tells what is usual, if there is so much.

    Args:
        slo: as it is written.
        settings: of its repository.
        reader: of the server that has the past.
        asked: the period.
        incidents: what is known of it.
        others: to compare with.
        progress: is told the part that is read.
        collect: from raw series (`collected`), or what rules have recorded (`recorded_entries`).

    Raises:
        HistoryNotRead: a stretch couldn't be read, in two tries.
    """
    read: list[tuple[ServiceLevelObjective, Settings, Entries]] = []
    longest = max(each.longest_window for each in (slo, *(other.slo for other in others)))
    minutes, period = _span(asked, round((longest + USUAL) / MINUTE))

    def entries_of(one: ServiceLevelObjective, with_settings: Settings) -> Entries:
        for known, known_settings, entries in read:
            if known.indicator == one.indicator and known_settings == with_settings:
                return entries
        entries = collect(one, with_settings, reader, minutes, progress)
        read.append((one, with_settings, entries))
        return entries

    own = entries_of(slo, settings)
    rivals = [Rival(each.name, each.slo, each.settings, entries_of(each.slo, each.settings)) for each in others]
    return backtested(slo, settings, own, period, incidents=incidents, rivals=rivals)


def _span(asked: Asked, before_minutes: int) -> tuple[Minutes, Period]:
    """From a midnight that lies so long before the period, because rules step by days."""
    day_ms = _DAY_MINUTES * MINUTE_MS
    origin_ms = (asked.begin_ms - before_minutes * MINUTE_MS) // day_ms * day_ms
    begin, end = ((moment - origin_ms) // MINUTE_MS for moment in (asked.begin_ms, asked.end_ms))
    return Minutes(origin_ms, end), Period(begin, end)
