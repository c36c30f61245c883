"""What tests of log stores call the things that their fixtures make."""

from collections.abc import Callable
from datetime import UTC, datetime

from sereno_backends.logs import LogQuery, LogRecord

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

MakeRecord = Callable[..., LogRecord]
"""`make(record_id, message, at=seconds after noon, **fields)`."""

Ask = Callable[..., LogQuery]
"""`ask(**conditions)` over the hours around noon."""
