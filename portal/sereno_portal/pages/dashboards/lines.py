"""Panels of time series: the chart that a browser draws."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sereno_backends.grafana import Annotation, Dashboard, Target
from sereno_backends.prometheus import Columns

from sereno_portal.charts import Bound, Chart, Hue, Line, Mark, on_times, times_of
from sereno_portal.gateway import NotAnswered
from sereno_portal.pages.dashboards.asking import Asking, legend
from sereno_portal.pages.dashboards.fields import Look, bounds_of, hue_of, look_of
from sereno_portal.web.figures import figure

MOST_LINES = 40
"""Of a chart: more can't be told apart. Those that reach highest are drawn."""
MOST_MARKS = 60


@dataclass(frozen=True, slots=True)
class _Drawn:
    line: Line
    look: Look


def chart_of(asking: Asking, dashboard: Dashboard, title: str) -> Chart:
    """The lines of all queries, the thresholds and what the dashboard marks.

    Raises:
        NotAnswered: a query has no answer.
        DashboardInvalid: an override says what can't be understood.
    """
    panel = asking.panel
    times = times_of(asking.span)
    drawn = [
        _drawn(asking, target, columns, times)
        for target in asking.targets
        for columns in asking.lines(target.expr, asking.span)
    ]
    shown = _highest([each for each in drawn if not each.look.is_hidden])
    if len(shown) < len(drawn):
        asking.note("{shown} of {all} lines are drawn, the highest", shown=len(shown), all=len(drawn))
    general = look_of(panel, "")
    right = next((each.look.unit for each in shown if each.line.right), "")
    return Chart(
        title=title,
        unit=next((each.look.unit for each in shown if not each.line.right), general.unit),
        times=times,
        lines=tuple(each.line for each in shown),
        bounds=tuple(_bounds(asking, general)),
        marks=_marks(asking, dashboard),
        empty=panel.no_value,
        minimum=_reach(panel.minimum, panel.custom.get("axisSoftMin")),
        maximum=_reach(panel.maximum, panel.custom.get("axisSoftMax")),
        decimals=general.decimals,
        right_unit=right,
        trouble=asking.trouble,
    )


def _drawn(asking: Asking, target: Target, columns: Columns, times: tuple[float, ...]) -> _Drawn:
    name = legend(asking.text(target.legend), columns.labels, asking.panel.title)
    look = look_of(asking.panel, name, target.ref_id)
    return _Drawn(Line(look.name, on_times(columns, times), hue_of(look.color), right=look.is_right), look)


def _highest(drawn: list[_Drawn]) -> list[_Drawn]:
    if len(drawn) <= MOST_LINES:
        return drawn
    height = {id(each): max((v for v in each.line.values if v is not None), default=-math.inf) for each in drawn}
    kept = {id(each) for each in sorted(drawn, key=lambda each: height[id(each)], reverse=True)[:MOST_LINES]}
    return [each for each in drawn if id(each) in kept]


def _bounds(asking: Asking, look: Look) -> Iterator[Bound]:
    style = asking.panel.custom.get("thresholdsStyle")
    if isinstance(style, dict) and style.get("mode", "off") != "off":
        for value, hue in bounds_of(look):
            yield Bound(value, figure(value, look.unit), hue or Hue.OTHER)


def _reach(hard: float | None, soft: object) -> float | None:
    if hard is not None:
        return hard
    return float(soft) if isinstance(soft, int | float) and not isinstance(soft, bool) else None


def _marks(asking: Asking, dashboard: Dashboard) -> tuple[Mark, ...]:
    """Over the dashboard's own span, so that all its panels ask the same."""
    found: list[Mark] = []
    for annotation in dashboard.annotations:
        if not (annotation.is_enabled and annotation.expr):
            continue
        try:
            lines = asking.lines(annotation.expr, asking.shown.span)
        except NotAnswered as error:  # the lines are told all the same
            asking.note("{name} can't be marked: {why}", name=annotation.name, why=error)
            continue
        for columns in lines:
            found += (
                _moments(asking, annotation, columns)
                if annotation.value_is_time
                else _stretches(asking, annotation, columns)
            )
    if len(found) > MOST_MARKS:
        asking.note("{shown} of {all} events are marked, the newest", shown=MOST_MARKS, all=len(found))
    return tuple(sorted(found, key=lambda mark: mark.at)[-MOST_MARKS:])


def _moments(asking: Asking, annotation: Annotation, columns: Columns) -> Iterator[Mark]:
    start, end = asking.span.start.timestamp(), asking.span.end.timestamp()
    for milliseconds in sorted(set(columns.values)):
        if start <= milliseconds / 1000 <= end:
            yield Mark(milliseconds / 1000, _label(annotation, columns), hue_of(annotation.color) or Hue.OTHER)


def _stretches(asking: Asking, annotation: Annotation, columns: Columns) -> Iterator[Mark]:
    """From the first to the last of points that follow each other."""
    step = asking.shown.span.step.total_seconds()
    label, hue = _label(annotation, columns), hue_of(annotation.color) or Hue.OTHER
    start = before = None
    for at in columns.unix_seconds:
        if start is None or before is None or at - before > step * 1.5:
            if start is not None and before is not None:
                yield Mark(start, label, hue, before + step)
            start = at
        before = at
    if start is not None and before is not None:
        yield Mark(start, label, hue, min(before + step, asking.shown.span.end.timestamp()))


def _label(annotation: Annotation, columns: Columns) -> str:
    title = legend(annotation.title_format, columns.labels, annotation.name)
    more = legend(annotation.text_format, columns.labels, "") if annotation.text_format else ""
    return f"{title}: {more}" if more else title
