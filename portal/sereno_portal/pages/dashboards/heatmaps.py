"""Panels of heatmaps: the buckets of a histogram over time."""

import math
from collections.abc import Sequence

from sereno_portal.charts import on_times, times_of
from sereno_portal.pages.dashboards.asking import Asking, legend
from sereno_portal.pages.dashboards.models import HeatmapPanel
from sereno_portal.web.figures import figure

MOST_BUCKETS = 80
Counts = tuple[float | None, ...]


def heatmap_of(asking: Asking, title: str) -> HeatmapPanel:
    """Prometheus' buckets hold all that is smaller; each of these holds only what the one below doesn't.

    Raises:
        NotAnswered: the query has no answer.
    """
    times = times_of(asking.span)
    read: list[tuple[float, str, Counts]] = []
    is_cumulative = False
    for target in asking.targets[:1]:
        is_cumulative = target.format == "heatmap"
        for columns in asking.lines(target.expr, asking.span):
            name = columns.labels.get("le") or legend(target.legend, columns.labels, "")
            read.append((_bound(name), name, on_times(columns, times)))
    read.sort(key=lambda each: (each[0], each[1]))
    if len(read) > MOST_BUCKETS:
        asking.note("{shown} of {all} buckets are shown, the lowest", shown=MOST_BUCKETS, all=len(read))
        read = read[:MOST_BUCKETS]
    counts = [each[2] for each in read]
    return HeatmapPanel(
        title,
        times,
        asking.span.step.total_seconds(),
        tuple(figure(bound, asking.panel.unit or "short") if math.isfinite(bound) else name for bound, name, _ in read),
        tuple(_without_lower(counts) if is_cumulative else counts),
        _unit(asking),
        asking.panel.no_value,
        asking.trouble,
    )


def _bound(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return math.inf


def _without_lower(counts: Sequence[Counts]) -> list[Counts]:
    below: Counts | None = None
    found = []
    for row in counts:
        found.append(row if below is None else tuple(map(_less, row, below)))
        below = row
    return found


def _less(upper: float | None, lower: float | None) -> float | None:
    """Never below zero: buckets are read one after the other."""
    return None if upper is None else max(0.0, upper - (lower or 0.0))


def _unit(asking: Asking) -> str:
    cells = asking.panel.options.get("cellValues")
    return str(cells.get("unit") or "short") if isinstance(cells, dict) else "short"
