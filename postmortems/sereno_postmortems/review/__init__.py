"""Postmortems that people have worked on: what is missing in them, and what is still to be done."""

from sereno_postmortems.review.actions import Action, open_actions
from sereno_postmortems.review.files import NotReadable, Postmortem, find_postmortems, read_postmortem
from sereno_postmortems.review.findings import CODES, Finding
from sereno_postmortems.review.lint import lint

__all__ = [
    "CODES",
    "Action",
    "Finding",
    "NotReadable",
    "Postmortem",
    "find_postmortems",
    "lint",
    "open_actions",
    "read_postmortem",
]
