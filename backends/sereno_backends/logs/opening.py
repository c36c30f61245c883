"""From what a user names (a path, an address) to the log store that is meant."""

from sereno_backends.logs.location import is_server
from sereno_backends.logs.model import LogStore, LogStoreRefused


def open_log_store(location: str) -> LogStore:
    """Open the log store at `location`: an http(s) address is Elasticsearch, anything else a SQLite file.

    Nothing is contacted and no file is created before the first call of a method.

    Raises:
        LogStoreRefused: the address or its credentials file can't be used.
    """
    if is_server(location):
        from sereno_backends.logs.elasticsearch_store import ElasticsearchLogStore  # noqa: PLC0415 - 0.2 s to import

        return ElasticsearchLogStore(location)
    from sereno_backends.logs.sqlite_store import SqliteLogStore  # noqa: PLC0415 - only the store that is meant

    return SqliteLogStore(location)


def open_dead_letters(location: str) -> LogStore:
    """Open what Elasticsearch refused for good, for searching: the timestamp is that of the refusal.

    Raises:
        LogStoreRefused: the address can't be used, or the store keeps no dead letters (the SQLite file).
    """
    if not is_server(location):
        raise LogStoreRefused(
            f"SQLite {location} keeps no dead letters, the collector's file does: jq . var/collector.dead-letters.jsonl"
        )
    from sereno_backends.logs.elasticsearch_store import ElasticsearchLogStore  # noqa: PLC0415 - 0.2 s to import

    return ElasticsearchLogStore(location, dead_letters=True)
