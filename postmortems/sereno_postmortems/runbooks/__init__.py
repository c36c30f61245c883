"""Runbooks as somebody needs them in an incident: found by the alert's name, with the incident's labels filled in."""

from sereno_postmortems.runbooks.blocks import MAY_BE_EMPTY, Block, Prose, blocks, segments
from sereno_postmortems.runbooks.filling import Filled, Unfilled, fill
from sereno_postmortems.runbooks.labels import IncidentLabels, jobs_named, labels_of
from sereno_postmortems.runbooks.shelf import Runbook, Shelf, ShelfUnreadable, UnknownRunbook

__all__ = [
    "MAY_BE_EMPTY",
    "Block",
    "Filled",
    "IncidentLabels",
    "Prose",
    "Runbook",
    "Shelf",
    "ShelfUnreadable",
    "Unfilled",
    "UnknownRunbook",
    "blocks",
    "fill",
    "jobs_named",
    "labels_of",
    "segments",
]
