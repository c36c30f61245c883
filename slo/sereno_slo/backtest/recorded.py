"""The entries of a stretch of the past as a server's rules have recorded them.

Three series instead of all raw ones: a month is read in a second, also where raw series are kept for days only. What is
asked about is another objective or policy of the SLO that was recorded; another indicator needs raw series.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sereno_slo.backtest.arrays import Array
from sereno_slo.backtest.asking import Asker, Minutes, asking
from sereno_slo.backtest.collecting import evaluated_minutes
from sereno_slo.backtest.entries import Entries
from sereno_slo.duration import MINUTE
from sereno_slo.history import Reader
from sereno_slo.model import ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.no_data import no_data_alerts
from sereno_slo.plan.series import Ledger
from sereno_slo.promql import Aggregation, Call

_NAMES = (series.EVENTS_ENTRY, series.BAD_EVENTS_ENTRY, series.COVERAGE_ENTRY)


def recorded_entries(
    slo: ServiceLevelObjective,
    settings: Settings,
    reader: Reader,
    minutes: Minutes,
    progress: Callable[[float], None],
) -> Entries:
    """Like `collected`: the entries of these minutes, the first of which is a midnight.

    Targets aren't looked at: `SLONoData` never fires, and holes have no better cause than that nothing was scraped or
    no target was known. What was counted after an outage of Prometheus itself (`missed`) isn't in it.

    Raises:
        HistoryNotRead: a stretch couldn't be read.
    """
    nothing = np.full(minutes.count, np.nan)
    with asking(reader) as asker:
        columns = []
        for place, name in enumerate(_NAMES, 1):
            columns.append(_column(asker, Ledger.of(slo), name, minutes))
            progress(place / len(_NAMES))
        events, bad_events, coverage = columns
        no_data = tuple(nothing for _ in no_data_alerts(replace(slo, group_by=None), settings))
        always = np.ones(minutes.count, dtype=np.bool_)
        entries = Entries(minutes.first_ms, events, bad_events, coverage, no_data, nothing, nothing, always)
        return replace(entries, evaluated=evaluated_minutes(entries, minutes, asker))


def _column(asker: Asker, ledger: Ledger, name: str, minutes: Minutes) -> Array:
    """An entry stands wherever within its minute its group was evaluated; replicas of a server say the same."""
    entry = Call("last_over_time", (ledger.series(name).over(MINUTE.just_under()),))
    return asker.whole(Aggregation("max", entry), minutes).get((), np.full(minutes.count, np.nan))
