"""Panels of states over time: state timelines and status histories."""

import math
from collections.abc import Iterator

from sereno_backends.prometheus import Columns

from sereno_portal.pages.dashboards.asking import Asking, legend
from sereno_portal.pages.dashboards.fields import Look, look_of, told
from sereno_portal.pages.dashboards.models import StateRow, StatesPanel, Stretch

MOST_ROWS = 60
MOST_STRETCHES = 3_000
_STEPWISE = "status-history"


def states_of(asking: Asking, title: str) -> StatesPanel:
    """A row for each series: what it was, and how long. A timeline joins neighbours that are alike, a history doesn't.

    Raises:
        NotAnswered: a query has no answer.
        DashboardInvalid: an override says what can't be understood.
    """
    rows: list[StateRow] = []
    for target in asking.targets:
        for columns in asking.lines(target.expr, asking.span):
            name = legend(asking.text(target.legend), columns.labels, title)
            look = look_of(asking.panel, name, target.ref_id)
            rows.append(StateRow(look.name, tuple(_stretches(asking, look, columns))))
    shown = rows[:MOST_ROWS]
    while sum(len(row.stretches) for row in shown) > MOST_STRETCHES:
        shown.pop()
    if len(shown) < len(rows):
        asking.note("{shown} of {all} rows are shown", shown=len(shown), all=len(rows))
    step = asking.span.step.total_seconds()
    before, after = (step, 0.0) if asking.panel.type == _STEPWISE else (0.0, step)
    start, end = asking.span.start.timestamp() - before, asking.span.end.timestamp() + after
    return StatesPanel(title, start, end, tuple(shown), asking.panel.no_value, asking.trouble)


def _stretches(asking: Asking, look: Look, columns: Columns) -> Iterator[Stretch]:
    """A point tells of the step that begins with it, in a history of the one that ends with it."""
    step = asking.span.step.total_seconds()
    is_stepwise = asking.panel.type == _STEPWISE
    last: Stretch | None = None
    for at, value in zip(columns.unix_seconds, columns.values, strict=True):
        if math.isnan(value):
            continue
        text, hue = told(value, look, asking.now)
        start = at - step if is_stepwise else at
        if (
            last is not None
            and not is_stepwise
            and (last.text, last.hue) == (text, hue)
            and start - last.until < step / 2
        ):
            last = Stretch(last.at, start + step, text, hue)
            continue
        if last is not None:
            yield last
        last = Stretch(start, start + step, text, hue)
    if last is not None:
        yield last
