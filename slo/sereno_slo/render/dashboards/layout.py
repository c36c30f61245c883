"""Where panels stand: sections of lines, whose panels share Grafana's 24 columns."""

from collections.abc import Iterable
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard, stat, table, timeseries
from grafana_foundation_sdk.models.dashboard import GridPos

COLUMNS = 24

PanelBuilder = stat.Panel | table.Panel | timeseries.Panel


@dataclass(frozen=True, slots=True)
class Line:
    """Panels side by side, equally wide and `height` grid units high."""

    height: int
    panels: tuple[PanelBuilder, ...]


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
            width = COLUMNS // len(line.panels)
            for column, panel in enumerate(line.panels):
                panel.id(panel_id).grid_pos(GridPos(h=line.height, w=width, x=column * width, y=y))
                board.with_panel(panel)
                panel_id += 1
            y += line.height
