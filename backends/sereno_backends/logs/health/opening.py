"""From an address to a connection by which a server is looked at; no request is waited for forever."""

import os

from sereno_backends.logs.elasticsearch_connection import Connection

REQUEST_SECONDS = 30.0


def open_server(url: str, *, request_seconds: float = REQUEST_SECONDS) -> tuple[Connection, str]:
    """A connection to the servers at `url`, and what to call them; nothing is contacted yet.

    Raises:
        LogStoreRefused: an address or one of the credentials files can't be used.
    """
    connection = Connection(url, os.environ, request_seconds=request_seconds)
    return connection, f"Elasticsearch {connection.place}"
