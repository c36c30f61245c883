"""Where a log store is, as people write it."""


def is_server(location: str) -> bool:
    """Whether an Elasticsearch is meant, or else a SQLite file."""
    return location.lower().startswith(("http://", "https://"))
