"""From what a user names (a path, an address) to the log store that is meant."""

import re

from sereno_backends.logs.model import LogStore


def open_log_store(location: str) -> LogStore:
    """Open the log store at `location`: an http(s) address is Elasticsearch, anything else a SQLite file.

    Nothing is contacted and no file is created before the first call of a method.

    Raises:
        LogStoreRefused: the address or its credentials file can't be used.
    """
    if re.match(r"https?://", location, re.IGNORECASE):
        from sereno_backends.logs.elasticsearch_store import ElasticsearchLogStore  # noqa: PLC0415 - 0.2 s to import

        return ElasticsearchLogStore(location)
    from sereno_backends.logs.sqlite_store import SqliteLogStore  # noqa: PLC0415 - only the store that is meant

    return SqliteLogStore(location)
