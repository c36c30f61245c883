"""From one word (a path, an address) to the retention of the store that is meant."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from sereno_backends.logs.lifecycle.model import Retentions
from sereno_backends.logs.lifecycle.sqlite_retention import SqliteRetention
from sereno_backends.logs.location import is_server

if TYPE_CHECKING:
    from sereno_backends.logs.lifecycle.lifecycle import Lifecycle

REQUEST_SECONDS = 60.0
"""Deleting a large index takes the master a while."""


def open_lifecycle(
    location: str, retentions: Retentions, now: Callable[[], datetime], stop: Event
) -> "Lifecycle | SqliteRetention":
    """The retention of the store at `location`, for what is soon over; nothing is contacted yet.

    What lives longer makes a `Lifecycle` of its connection's client each time: credentials may be rotated.

    Raises:
        LogStoreRefused: the address or its credentials file can't be used.
    """
    if not is_server(location):
        return SqliteRetention(Path(location), retentions, now, stop)
    from sereno_backends.logs.elasticsearch_connection import Connection  # noqa: PLC0415 - 0.2 s to import
    from sereno_backends.logs.lifecycle.lifecycle import Lifecycle  # noqa: PLC0415

    connection = Connection(location, os.environ, request_seconds=REQUEST_SECONDS)
    return Lifecycle(connection.client(), f"Elasticsearch {connection.place}", retentions, now)
