"""What every page has at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sereno_portal.catalogue import Catalogue, CatalogueShelf
from sereno_portal.configuration import PortalConfiguration
from sereno_portal.gateway import Explainer, Gateway
from sereno_portal.incident_shelf import IncidentShelf
from sereno_portal.open_incidents import IncidentDesk, OpenIncidents
from sereno_portal.standings import Standings, StandingsBook


@dataclass(frozen=True, slots=True)
class Portal:
    """Handed to each page's `router`."""

    configuration: PortalConfiguration
    gateway: Gateway
    catalogue_shelf: CatalogueShelf
    incident_shelf: IncidentShelf
    explainer: Explainer
    standings_book: StandingsBook
    incident_desk: IncidentDesk

    @property
    def catalogue(self) -> Catalogue:
        """What the specs say now."""
        return self.catalogue_shelf.current()

    @property
    def clock(self) -> Callable[[], datetime]:
        """The aware UTC time."""
        return self.configuration.clock

    @property
    def standings(self) -> Standings:
        """How all SLOs stand now. Raises `NotAnswered`."""
        return self.standings_book.current(self.catalogue)

    @property
    def open_incidents(self) -> OpenIncidents:
        """The incidents that are open now."""
        return self.incident_desk.current()
