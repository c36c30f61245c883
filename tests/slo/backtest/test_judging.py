"""Pages against known incidents, and the objective that a past suggests: by hand-made figures."""

from dataclasses import replace

import numpy as np
import pytest
from sereno_slo.backtest.incidents import Incident, judged
from sereno_slo.backtest.notices import Kind, Notice, Period
from sereno_slo.backtest.objectives import suggested
from sereno_slo.model import ServiceLevelObjective

_MINUTE = 60_000


def _notice(begin: int, end: int, kind: Kind = Kind.PAGE) -> Notice:
    return Notice(
        kind,
        begin * _MINUTE,
        end * _MINUTE,
        is_open=False,
        episodes=(),
        events=1,
        bad_events=1,
        budget_spent_ratio=None,
    )


def _incident(begin: int, end: int) -> Incident:
    return Incident(begin * _MINUTE, end * _MINUTE, "", "")


def test_pages_are_right_where_they_overlap_an_incident_or_follow_it_closely() -> None:
    """Ten minutes after the end is still its page; a ticket is none; what fires already is found at once."""
    pages = [_notice(105, 120), _notice(209, 230), _notice(300, 310), _notice(390, 420), _notice(500, 510, Kind.TICKET)]
    incidents = [_incident(100, 130), _incident(150, 200), _incident(400, 410), _incident(500, 520)]
    verdict = judged(pages, incidents)
    assert list(verdict.unmatched) == [pages[2]]
    assert list(verdict.missed) == [incidents[3]]
    assert list(verdict.detection_minutes) == [5, 59, 0]
    assert [verdict.precision, verdict.recall] == [0.75, 0.75]
    assert [verdict.detection_median_minutes, verdict.detection_worst_minutes] == [5, 59]


def test_nothing_to_judge_is_no_figure() -> None:
    """Neither a precision of no page nor a recall of no incident is a number."""
    verdict = judged([], [])
    assert (verdict.precision, verdict.recall, verdict.detection_median_minutes) == (None, None, None)


@pytest.mark.parametrize(
    ("worst_error_ratio", "events", "percent"),
    [
        (0.0007, 1e6, 99.9),  # 30 % of 0.1 % are left
        (0.00085, 1e6, 99.5),  # 15 % would be
        (0.0, 1e6, 99.99),
        (0.0, 100_000, 99.95),  # of 99.99 % the budget would be ten events, fewer than an alert takes for evidence
        (0.5, 1e6, None),
    ],
)
def test_the_strictest_objective_with_a_fifth_of_its_budget_left_is_suggested(
    slo: ServiceLevelObjective, worst_error_ratio: float, events: float, percent: float | None
) -> None:
    """By the worst whole window, whatever the windows before them held."""
    own = replace(slo, alerting=replace(slo.alerting, min_bad_events=12))
    ratios = np.array([1.0, 1.0, worst_error_ratio, worst_error_ratio / 2])
    found = suggested(own, np.full(4, events), ratios, Period(1, 4), whole_from=2)
    assert (found.objective_percent, found.worst_error_ratio, found.is_whole) == (percent, worst_error_ratio, True)


def test_without_a_whole_window_the_last_one_is_judged(slo: ServiceLevelObjective) -> None:
    """The first minutes of a history, an outage perhaps, aren't a month."""
    ratios = np.array([1.0, 0.5, 0.001])
    found = suggested(slo, np.full(3, 1e6), ratios, Period(0, 3), whole_from=10)
    assert (found.objective_percent, found.is_whole) == (99.5, False)
