"""Log stores: one seam (`LogStore`), an embedded SQLite store and Elasticsearch behind it."""

from sereno_backends.logs.model import (
    LogQuery,
    LogRecord,
    LogStore,
    LogStoreError,
    LogStoreRefused,
    LogStoreUnreachable,
    MessageCount,
    Rejection,
    WriteResult,
)

__all__ = [
    "LogQuery",
    "LogRecord",
    "LogStore",
    "LogStoreError",
    "LogStoreRefused",
    "LogStoreUnreachable",
    "MessageCount",
    "Rejection",
    "WriteResult",
]
