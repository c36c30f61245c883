"""Panels of single figures: stats and gauges."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sereno_backends.grafana import Target

from sereno_portal.pages.dashboards.asking import Asking, legend
from sereno_portal.pages.dashboards.fields import Look, look_of, told
from sereno_portal.pages.dashboards.models import Figure, FiguresPanel

MOST_FIGURES = 60
_REDUCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "max": max,
    "min": min,
    "sum": math.fsum,
    "mean": lambda values: math.fsum(values) / len(values),
    "first": lambda values: values[0],
    "firstNotNull": lambda values: values[0],
    "count": len,
}


@dataclass(frozen=True, slots=True)
class _Read:
    labels: Mapping[str, str]
    value: float


def figures_of(asking: Asking, title: str) -> FiguresPanel:
    """The latest value of each series, or what the panel reduces its lines to.

    Raises:
        NotAnswered: a query has no answer.
        DashboardInvalid: an override says what can't be understood.
    """
    read = [(target, each) for target in asking.targets for each in _read(asking, target)]
    is_alone = len(read) == 1
    figures = [_figure(asking, target, each, is_alone=is_alone) for target, each in read[:MOST_FIGURES]]
    if len(read) > MOST_FIGURES:
        asking.note("{shown} of {all} figures are shown", shown=MOST_FIGURES, all=len(read))
    return FiguresPanel(title, tuple(figures), asking.panel.no_value, asking.trouble)


def _read(asking: Asking, target: Target) -> Iterator[_Read]:
    reduction = _REDUCTIONS.get(_reducer(asking))
    if reduction is None or target.is_instant:
        yield from (_Read(sample.labels, sample.value) for sample in asking.instant(target))
        return
    for columns in asking.lines(target.expr, asking.span):
        values = [value for value in columns.values if math.isfinite(value)]
        if values:
            yield _Read(columns.labels, reduction(values))


def _reducer(asking: Asking) -> str:
    options = asking.panel.options.get("reduceOptions")
    calculations = options.get("calcs") if isinstance(options, dict) else None
    return str(calculations[0]) if isinstance(calculations, list) and calculations else ""


def _figure(asking: Asking, target: Target, read: _Read, *, is_alone: bool) -> Figure:
    name = legend(asking.text(target.legend), read.labels, "")
    look = look_of(asking.panel, name, target.ref_id)
    value = None if math.isnan(read.value) else read.value
    text, hue = told(value, look, asking.now)
    return Figure(
        label="" if is_alone and not target.legend else look.name,
        text=text,
        value=value if value is None or math.isfinite(value) else None,
        hue=hue,
        ratio=_ratio(value, look) if asking.panel.type == "gauge" else None,
    )


def _ratio(value: float | None, look: Look) -> float | None:
    if value is None:
        return None
    low = look.minimum or 0.0
    high = look.maximum if look.maximum is not None else (1.0 if look.unit == "percentunit" else 100.0)
    return min(1.0, max(0.0, (value - low) / (high - low))) if high > low else None
