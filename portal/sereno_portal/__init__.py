"""Sereno's own pages: how the SLOs stand, for people without Grafana at hand; behind each page is a JSON API."""

from sereno_portal.app import create_portal
from sereno_portal.configuration import PortalConfiguration

__all__ = ["PortalConfiguration", "create_portal"]
