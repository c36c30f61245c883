"""Where panels stand: sections of lines, whose panels share Grafana's 24 columns."""

from collections.abc import Iterable
from dataclasses import dataclass

from grafana_foundation_sdk.builders import (
    dashboard,
    heatmap,
    logs,
    stat,
    statetimeline,
    statushistory,
    table,
    timeseries,
)
from grafana_foundation_sdk.models.dashboard import GridPos

COLUMNS = 24

PanelBuilder = (
    stat.Panel | table.Panel | timeseries.Panel | heatmap.Panel | logs.Panel | statushistory.Panel | statetimeline.Panel
)


@dataclass(frozen=True, slots=True)
class Line:
    """Panels side by side, `height` grid units high; equally wide, unless `widths` says how many columns each has."""

    height: int
    panels: tuple[PanelBuilder, ...]
    widths: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A titled row and the lines below it."""

    title: str
    lines: tuple[Line, ...]


def place(board: dashboard.Dashboard, sections: Iterable[Section]) -> None:
    """Add all panels to the dashboard, top to bottom; ids count upwards from 1."""
    panel_id, y = 1, 0
    for section in sections:
        board.with_row(dashboard.Row(section.title).id(panel_id).grid_pos(GridPos(h=1, w=COLUMNS, x=0, y=y)))
        panel_id, y = panel_id + 1, y + 1
        for line in section.lines:
            widths = line.widths or (COLUMNS // len(line.panels),) * len(line.panels)
            x = 0
            for panel, width in zip(line.panels, widths, strict=True):
                panel.id(panel_id).grid_pos(GridPos(h=line.height, w=width, x=x, y=y))
                board.with_panel(panel)
                panel_id, x = panel_id + 1, x + width
            y += line.height
