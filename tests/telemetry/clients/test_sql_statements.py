"""Statements of SQLAlchemy on a real SQLite: each one counted once, its text in no label."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from sereno_telemetry import ClientInstrumentation
from sereno_telemetry.clients.sql import within_statement
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, create_engine, event, exc, insert, select, text

Instrument = Callable[..., ClientInstrumentation]
Counted = Callable[[str], Mapping[tuple[str, ...], float]]

METRIC = "db_client_operation_duration_seconds"  # labels: system, namespace, operation, error
ORDERS = Table("orders", MetaData(), Column("id", Integer, primary_key=True), Column("customer", String, unique=True))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """A database in a file, with a table; the engine is older than the instrumentation."""
    engine = create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    ORDERS.metadata.create_all(engine)
    return engine


def test_unsampled_statements_are_counted(
    engine: Engine, instrumented: Instrument, not_sampling: TracerProvider, counted: Counted
) -> None:
    """Core, literal text and many rows at once: a statement is one, by its verb, also on engines made before."""
    instrumented(not_sampling)
    with engine.begin() as connection:
        connection.execute(insert(ORDERS), [{"customer": "a"}, {"customer": "b"}])
        assert connection.execute(select(ORDERS.c.customer)).scalars().all() == ["a", "b"]
        connection.execute(text("/* by hand */ update orders set customer = 'secret'  where id = 1"))
    assert counted(METRIC) == {
        ("sqlite", "shop.db", "INSERT", ""): 1,
        ("sqlite", "shop.db", "SELECT", ""): 1,
        ("sqlite", "shop.db", "UPDATE", ""): 1,
    }


def test_a_failed_statement_is_an_error_of_its_type(
    engine: Engine, instrumented: Instrument, not_sampling: TracerProvider, counted: Counted
) -> None:
    """The driver's exception names the error; the application gets SQLAlchemy's, as ever."""
    instrumented(not_sampling)
    with engine.begin() as connection:
        connection.execute(insert(ORDERS).values(customer="a"))
    with engine.begin() as connection, pytest.raises(exc.IntegrityError, match="UNIQUE"):
        connection.execute(insert(ORDERS).values(customer="a"))
    with engine.begin() as connection, pytest.raises(exc.OperationalError, match="no such table"):
        connection.execute(text("select * from absent"))
    assert counted(METRIC) == {
        ("sqlite", "shop.db", "INSERT", ""): 1,
        ("sqlite", "shop.db", "INSERT", "IntegrityError"): 1,
        ("sqlite", "shop.db", "SELECT", "OperationalError"): 1,
    }


def test_a_sampled_statement_is_one_span_and_an_exemplar(
    *,
    engine: Engine,
    instrumented: Instrument,
    sampling: TracerProvider,
    spans: InMemorySpanExporter,
    registry: CollectorRegistry,
) -> None:
    """The span belongs to the request, has the text with its placeholders, and its trace is in the histogram."""
    instrumented(sampling)
    with sampling.get_tracer("test").start_as_current_span("request") as request, engine.begin() as connection:
        connection.execute(insert(ORDERS).values(customer="a"))
        with pytest.raises(exc.IntegrityError):
            connection.execute(insert(ORDERS).values(customer="a"))
    right, wrong, _ = spans.get_finished_spans()
    assert right.kind is SpanKind.CLIENT
    assert right.name == "INSERT shop.db"
    assert right.parent is not None
    assert right.parent.span_id == request.get_span_context().span_id
    assert right.attributes is not None
    assert right.attributes["db.query.text"] == "INSERT INTO orders (customer) VALUES (?)"
    assert right.status.status_code is StatusCode.UNSET
    assert wrong.status.status_code is StatusCode.ERROR
    assert (
        f'trace_id="{trace.format_trace_id(request.get_span_context().trace_id)}"' in generate_latest(registry).decode()  # type: ignore[no-untyped-call]
    )


def test_a_statement_that_fails_while_it_is_read_counts_once(
    engine: Engine, instrumented: Instrument, not_sampling: TracerProvider, counted: Counted
) -> None:
    """Rows are read after the statement: an error then is told to the application, and counts nothing a second time."""
    instrumented(not_sampling)
    with engine.begin() as connection:
        connection.execute(insert(ORDERS), [{"customer": "a"}, {"customer": "b"}])
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.create_function("inverse", 1, lambda number: 1 / (2 - number))
        rows = connection.execute(text("select inverse(id) from orders order by id"))
        with pytest.raises(exc.OperationalError):
            rows.fetchall()
    assert sum(counted(METRIC).values()) == 2


def test_what_other_listeners_do_mixes_nothing_up(
    engine: Engine, instrumented: Instrument, not_sampling: TracerProvider, counted: Counted
) -> None:
    """A listener that raises before the statement keeps its exception; the next statement is counted as ever."""
    instrumented(not_sampling)

    def refuse(*_arguments: object) -> None:
        raise LookupError("the application's own")

    event.listen(engine, "before_cursor_execute", refuse)
    with engine.begin() as connection, pytest.raises(LookupError):
        connection.execute(text("select 1"))
    event.remove(engine, "before_cursor_execute", refuse)
    with engine.begin() as connection:
        connection.execute(text("select 1"))
    assert counted(METRIC)["sqlite", "shop.db", "SELECT", ""] == 1
    assert not within_statement.get()


def test_taken_back_statements_are_nobody_s_business(
    engine: Engine, instrumented: Instrument, not_sampling: TracerProvider, counted: Counted
) -> None:
    """After `uninstrument` nothing is counted."""
    instrumented(not_sampling).uninstrument()
    with engine.begin() as connection:
        connection.execute(text("select 1"))
    assert counted(METRIC) == {}
