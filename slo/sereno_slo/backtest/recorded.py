"""The entries of a stretch of the past as a server's rules have recorded them.

Three series instead of all raw ones: a month is read in a second, also where raw series are kept for days only. What is
asked about is another objective or policy of the SLO that was recorded; another indicator needs raw series.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sereno_slo.backtest.asking import Minutes, asking
from sereno_slo.backtest.collecting import TARGETS, TARGETS_UP, evaluated_minutes, target_questions
from sereno_slo.backtest.entries import Entries
from sereno_slo.duration import MINUTE
from sereno_slo.history import Reader
from sereno_slo.model import ServiceLevelObjective, Settings
from sereno_slo.plan import series
from sereno_slo.plan.counting import Raw
from sereno_slo.plan.no_data import no_data_alerts
from sereno_slo.plan.series import Ledger
from sereno_slo.promql import Aggregation, Call, Expr

_NAMES = (series.EVENTS_ENTRY, series.BAD_EVENTS_ENTRY, series.COVERAGE_ENTRY)


def recorded_entries(
    slo: ServiceLevelObjective,
    settings: Settings,
    reader: Reader,
    minutes: Minutes,
    progress: Callable[[float], None],
) -> Entries:
    """Like `collected`: the entries of these minutes, the first of which is a midnight.

    `SLONoData` isn't replayed. What was counted after an outage of Prometheus itself (`missed`) isn't in it.

    Raises:
        HistoryNotRead: a stretch couldn't be read.
    """
    questions = {name: _entry(Ledger.of(slo), name) for name in _NAMES} | target_questions(slo, Raw(settings))
    nothing = np.full(minutes.count, np.nan)
    with asking(reader) as asker:
        columns = {}
        for name, question in questions.items():
            columns[name] = asker.whole(question, minutes).get((), nothing)
            progress(len(columns) / len(questions))
        entries = Entries(
            minutes.first_ms,
            columns[series.EVENTS_ENTRY],
            columns[series.BAD_EVENTS_ENTRY],
            columns[series.COVERAGE_ENTRY],
            tuple(nothing for _ in no_data_alerts(replace(slo, group_by=None), settings)),
            columns[TARGETS],
            columns[TARGETS_UP],
            np.ones(minutes.count, dtype=np.bool_),
        )
        return replace(entries, evaluated=evaluated_minutes(entries, minutes, asker))


def _entry(ledger: Ledger, name: str) -> Expr:
    """It stands wherever within its minute its group was evaluated; replicas of a server say the same."""
    return Aggregation("max", Call("last_over_time", (ledger.series(name).over(MINUTE.just_under()),)))
