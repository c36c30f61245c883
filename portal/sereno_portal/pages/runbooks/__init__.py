"""`/runbooks`: what to do, by alert and by SLO, with an incident's labels filled in."""

from sereno_portal.pages.runbooks.routes import router

__all__ = ["router"]
