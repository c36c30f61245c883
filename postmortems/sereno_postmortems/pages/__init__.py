"""Incidents as web pages, for whoever follows the link of a page: who is on it, what was tried, where to look."""

from sereno_postmortems.pages.routes import add_pages

__all__ = ["add_pages"]
