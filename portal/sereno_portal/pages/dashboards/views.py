"""A dashboard as a page: its form, its rows, and where each panel's answer is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from sereno_backends.grafana import Panel, filled_in

from sereno_portal.pages.dashboards.choices import Choice, Choices
from sereno_portal.pages.dashboards.links import LinkView, link_views
from sereno_portal.pages.dashboards.shelf import Shelf, Shelved
from sereno_portal.pages.dashboards.times import CHOICES, Shown, values_of

_COLUMNS = 24
_TALLEST = 24


@dataclass(frozen=True, slots=True)
class Listed:
    """A dashboard, in the list of all."""

    uid: str
    title: str
    description: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedFolder:
    """The dashboards of one folder."""

    name: str
    """`generated` or `handwritten`."""
    dashboards: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """All dashboards."""

    folders: tuple[ListedFolder, ...]
    mistakes: tuple[str, ...]
    """Files that can't be read, and why."""


@dataclass(frozen=True, slots=True)
class PanelPlace:
    """Where a panel stands, and where its answer is."""

    id: int
    title: str
    description: str
    type: str
    x: int
    width: int
    height: int
    """As Grafana counts: columns of 24, and units of 30 pixels."""
    answer: str
    """The address of its JSON."""
    address: str
    """The address of its own page."""
    links: tuple[LinkView, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A row of the dashboard: a title and what stands below it."""

    title: str
    is_collapsed: bool
    panels: tuple[PanelPlace, ...]


@dataclass(frozen=True, slots=True)
class DashboardView:
    """A dashboard, without its panels' answers."""

    uid: str
    title: str
    description: str
    folder: str
    length: str
    """The time that is shown: `6h`."""
    until: str
    """ISO 8601; empty is now."""
    lengths: tuple[str, ...]
    """Those that can be chosen."""
    choices: tuple[Choice, ...]
    sections: tuple[Section, ...]
    links: tuple[LinkView, ...]
    trouble: str


def listing(shelf: Shelf) -> Listing:
    """All dashboards by folder; folders without any are left out."""
    folders = dict.fromkeys(each.folder for each in shelf.dashboards)
    return Listing(
        tuple(
            ListedFolder(
                name,
                tuple(
                    Listed(each.dashboard.uid, each.dashboard.title, each.dashboard.description, each.dashboard.tags)
                    for each in shelf.dashboards
                    if each.folder == name
                ),
            )
            for name in folders
        ),
        tuple(f"dashboards/grafana/{each.folder}/{each.file}: {each.why}" for each in shelf.broken),
    )


def dashboard_view(shelf: Shelf, shelved: Shelved, choices: Choices, shown: Shown) -> DashboardView:
    """The dashboard with what was chosen."""
    dashboard = shelved.dashboard
    values = {**choices.values, **values_of(shown.span)}

    def text(written: str) -> str:
        return filled_in(written, values)

    return DashboardView(
        dashboard.uid,
        text(dashboard.title),
        dashboard.description,
        shelved.folder,
        shown.length,
        "" if shown.until is None else shown.until.isoformat(),
        CHOICES,
        choices.shown,
        tuple(_sections(shelf, shelved, text, parameters(choices, shown), shown.length)),
        tuple(link_views(dashboard.links, shelf, text, shown.length)),
        choices.trouble,
    )


def parameters(choices: Choices, shown: Shown) -> str:
    """What an address has to say for the same to be shown."""
    chosen = [(f"var-{name}", value) for name, values in choices.chosen.items() for value in values]
    until = [] if shown.until is None else [("to", shown.until.isoformat())]
    return urlencode([("from", shown.length), *until, *chosen])


def _sections(shelf: Shelf, shelved: Shelved, text: Callable[[str], str], query: str, length: str) -> Iterator[Section]:
    numbers = {id(panel): number for number, panel in shelved.panels()}

    def place(panel: Panel) -> PanelPlace:
        number, uid, grid = numbers[id(panel)], quote(shelved.dashboard.uid, safe=""), panel.grid
        x = min(grid.x, _COLUMNS - 1) if grid else 0
        return PanelPlace(
            number,
            text(panel.title),
            text(panel.description),
            panel.type,
            x,
            min(grid.width, _COLUMNS - x) if grid else _COLUMNS,
            min(grid.height, _TALLEST) if grid else 8,
            f"/api/v1/dashboards/{uid}/panels/{number}?{query}",
            f"/dashboards/{uid}/panels/{number}?{query}",
            tuple(link_views(panel.links, shelf, text, length)),
        )

    title, is_collapsed, below = "", False, list[Panel]()
    for panel in (*shelved.dashboard.panels, None):
        if panel is not None and not panel.is_row:
            below.append(panel)
            continue
        if below:
            in_order = sorted(below, key=lambda each: (each.grid.y, each.grid.x) if each.grid else (0, 0))
            yield Section(title, is_collapsed, tuple(place(each) for each in in_order))
        if panel is not None:
            title, is_collapsed, below = text(panel.title), panel.is_collapsed, []
