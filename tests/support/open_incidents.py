"""A store with an incident that is over, and one that is open."""

import json
from datetime import UTC, datetime
from pathlib import Path

from sereno_backends.incidents import EntryKind
from sereno_postmortems.entries import Submission
from sereno_postmortems.store import IncidentStore
from sereno_postmortems.webhook import Delivery, read_delivery

from support.incidents import PAGE, at, reported, webhook

OPEN_ID = "2026-11-22-transactions-api-availability-2"


def incidents_with(path: Path, *, taken_by: str = "") -> IncidentStore:
    """The second one is open, and taken where somebody took it."""
    store = IncidentStore(path)
    store.prepare()
    for alert in (reported(PAGE, at(8), at(8, 30)), reported(PAGE, at(10))):
        body = json.dumps(webhook([alert])).encode()
        delivery = read_delivery(body, at(12))
        assert isinstance(delivery, Delivery)
        store.record(delivery, body)
    if taken_by:
        acknowledgement = Submission("e1", EntryKind.ACKNOWLEDGEMENT, "looking", taken_by, None)
        store.write(OPEN_ID, acknowledgement, author=taken_by, now=datetime(2026, 11, 22, 12, tzinfo=UTC))
    return store
