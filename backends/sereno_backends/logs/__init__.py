"""Log stores: one seam (`LogStore`), an embedded SQLite store and Elasticsearch behind it.

The stores are imported when they are first asked for: importing this package imports no client library.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sereno_backends.logs.model import (
    LogQuery,
    LogRecord,
    LogStore,
    LogStoreCorrupt,
    LogStoreError,
    LogStoreReadOnly,
    LogStoreRefused,
    LogStoreTooNew,
    LogStoreUnreachable,
    MessageCount,
    Rejection,
    WriteResult,
)

if TYPE_CHECKING:
    from sereno_backends.logs.elasticsearch_store import ElasticsearchLogStore
    from sereno_backends.logs.opening import open_dead_letters, open_log_store
    from sereno_backends.logs.sqlite_store import SqliteLogStore

__all__ = [
    "ElasticsearchLogStore",
    "LogQuery",
    "LogRecord",
    "LogStore",
    "LogStoreCorrupt",
    "LogStoreError",
    "LogStoreReadOnly",
    "LogStoreRefused",
    "LogStoreTooNew",
    "LogStoreUnreachable",
    "MessageCount",
    "Rejection",
    "SqliteLogStore",
    "WriteResult",
    "open_dead_letters",
    "open_log_store",
]

_LAZY = {
    "ElasticsearchLogStore": "sereno_backends.logs.elasticsearch_store",
    "SqliteLogStore": "sereno_backends.logs.sqlite_store",
    "open_dead_letters": "sereno_backends.logs.opening",
    "open_log_store": "sereno_backends.logs.opening",
}


def __getattr__(name: str) -> Any:
    """Import the store or the opener that is asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
