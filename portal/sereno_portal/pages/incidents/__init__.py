"""`/incidents`: what happened, what people do about it, and the draft of a postmortem."""

from sereno_portal.pages.incidents.routes import router

__all__ = ["router"]
