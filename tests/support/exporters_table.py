"""The tables of exporters/README.md, row by row."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "exporters" / "README.md"
HEAD = "| exporter | families | alerts | dashboard panel | runbook |"


@dataclass(frozen=True, slots=True)
class Row:
    """What an exporter serves, what watches and shows it. An empty first cell means: of the exporter above."""

    exporter: str
    is_standard: bool
    """Not Sereno's own: its scrape job lies in exporters/standard."""
    families: tuple[str, ...]
    alerts: tuple[str, ...]
    dashboard: str
    panel: str
    runbooks: tuple[str, ...]


def rows() -> Iterator[Row]:
    """Every row of every table. A panel is written as `Dashboard: panel`; without the first it is of the one above."""
    exporter = dashboard = ""
    is_standard = False
    for line in _lines():
        first, families, alerts, panel, runbook = (cell.strip() for cell in line.split("|")[1:-1])
        if name := re.match(r"\[?`([\w-]+)`", first):
            exporter, is_standard = name[1], "](standard/" in first
        title, colon, rest = panel.partition(": ")
        dashboard = title if colon else dashboard
        yield Row(
            exporter,
            is_standard,
            tuple(re.findall(r"`(\w+)`", families)),
            tuple(re.findall(r"`(\w+)`", alerts)),
            dashboard,
            rest if colon else panel,
            tuple(re.findall(r"\]\(([^)]+)\)", runbook)),
        )


def _lines() -> Iterator[str]:
    within = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        within = line == HEAD or (within and line.startswith("|"))
        if within and line != HEAD and not line.startswith("|---"):
            yield line
