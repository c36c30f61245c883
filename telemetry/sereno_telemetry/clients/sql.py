"""SQLAlchemy's statements as client spans, by its own events.

Not by OpenTelemetry's instrumentation: its version 0.66 refuses SQLAlchemy 2.1, and it sees only engines that are made
after it. Events on the class `Engine` reach every engine of the process, those of asyncio included.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import SpanKind

from sereno_telemetry.clients.measuring import MeasuredSpan, MeasuringTracer
from sereno_telemetry.clients.metrics import operation_of
from sereno_telemetry.clients.unsampled import UnsampledCall, UnsampledCalls

within_statement: ContextVar[bool] = ContextVar("sereno_within_statement", default=False)
"""Whether SQLAlchemy executes a statement: the driver below may be instrumented, too, and each counts once, here."""

_YES, _NO = True, False
_SPAN = "_sereno_telemetry_span"

# SQLAlchemy's names of dialects and the well-known values of db.system.name, where they differ.
_SYSTEMS: Mapping[str, str] = {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}


class SqlAlchemyEvents:
    """Listens to every engine of the process."""

    def __init__(self, tracer: MeasuringTracer, unsampled: UnsampledCalls) -> None:
        self._tracer = tracer
        self._unsampled = unsampled
        self._health = unsampled.health

    def listeners(self) -> tuple[tuple[str, Callable[..., None]], ...]:
        """Names of events, and what listens to each."""
        return (
            ("before_cursor_execute", self._begin),
            ("after_cursor_execute", self._end),
            ("handle_error", self._fail),
        )

    def listen(self) -> None:
        """Begin to listen."""
        from sqlalchemy import Engine, event  # noqa: PLC0415 - the application's own part

        for name, listener in self.listeners():
            event.listen(Engine, name, listener)

    def leave(self) -> None:
        """Listen no more."""
        from sqlalchemy import Engine, event  # noqa: PLC0415

        for name, listener in self.listeners():
            event.remove(Engine, name, listener)

    def _begin(  # the signature is SQLAlchemy's
        self, connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
    ) -> None:
        try:
            begun = None if context is None else self._started(connection.engine, statement)
            if begun is None:
                return
            setattr(context, _SPAN, begun)
            within_statement.set(_YES)  # no token: should an end be missed, the next statement's end mends it
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="watching a statement")

    def _started(self, engine: Any, statement: str) -> MeasuredSpan | UnsampledCall | None:
        system, namespace = _database(engine)
        operation = operation_of(statement)
        parent = self._unsampled.parent()
        if parent is not None:
            call = {"database_system": system, "namespace": namespace, "database_operation": operation}
            return self._unsampled.begin(call, parent)
        if not is_instrumentation_enabled():
            return None
        attributes: dict[str, Any] = {
            "db.system.name": system,
            "db.operation.name": operation,
            # As SQLAlchemy sends it, with placeholders; what the application writes into literal text is in it.
            "db.query.text": statement,
        }
        known = {"db.namespace": namespace, "server.address": engine.url.host, "server.port": engine.url.port}
        attributes |= {name: value for name, value in known.items() if value}
        return self._tracer.start_span(f"{operation} {namespace}".rstrip(), kind=SpanKind.CLIENT, attributes=attributes)

    def _end(
        self, _connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool
    ) -> None:
        self._finish(context, None)

    def _fail(self, failure: Any) -> None:
        self._finish(failure.execution_context, failure.original_exception)

    def _finish(self, context: Any, failure: BaseException | None) -> None:
        try:
            span: MeasuredSpan | UnsampledCall | None = getattr(context, _SPAN, None)
            if span is None:
                return
            setattr(context, _SPAN, None)
            within_statement.set(_NO)
            if failure is not None:
                span.record_failure(failure)
            span.end()
        except Exception as error:  # noqa: BLE001 - fail open
            self._health.note(error, doing="watching a statement")


def _database(engine: Any) -> tuple[str, str]:
    """`db.system.name` and `db.namespace` of an engine's statements."""
    system = _SYSTEMS.get(engine.dialect.name, engine.dialect.name)
    namespace = engine.url.database or ""
    if system == "sqlite":
        namespace = namespace.replace("\\", "/").rpartition("/")[2]  # a file: its folder is this machine's business
    return system, namespace
