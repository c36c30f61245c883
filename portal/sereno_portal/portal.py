"""What every page has at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sereno_portal.catalogue import Catalogue, CatalogueShelf
from sereno_portal.configuration import PortalConfiguration
from sereno_portal.gateway import Gateway
from sereno_portal.incident_shelf import IncidentShelf


@dataclass(frozen=True, slots=True)
class Portal:
    """Handed to each page's `router`."""

    configuration: PortalConfiguration
    gateway: Gateway
    catalogue_shelf: CatalogueShelf
    incident_shelf: IncidentShelf

    @property
    def catalogue(self) -> Catalogue:
        """What the specs say now."""
        return self.catalogue_shelf.current()

    @property
    def clock(self) -> Callable[[], datetime]:
        """The aware UTC time."""
        return self.configuration.clock
