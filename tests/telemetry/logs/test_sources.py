"""Lines of structlog, of servers' access logs, and of exceptions."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from sereno_telemetry import configure_logging
from support.ecs_specification import violations
from support.memory_log import MemoryLog


@pytest.fixture
def structlog_file(tmp_path: Path, root_logging: None) -> Iterator[Path]:  # noqa: ARG001
    """The file that structlog's events and records go to."""
    path = tmp_path / "log"
    configure_logging("shop", path=path, structlog=True)
    yield path
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines_of(path: Path) -> list[dict[str, object]]:
    """The file's lines, each of the specification."""
    assert [problem for line in path.read_text().splitlines() for problem in violations(line)] == []
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_structlog_writes_the_same_lines(structlog_file: Path) -> None:
    """Event, bound values, context and ECS fields; one sequence with the standard library, one masking."""
    structlog.contextvars.bind_contextvars(tenant="t1")
    logger = structlog.get_logger("shop.orders").bind(order=7, password="hunter2")  # noqa: S106
    logging.getLogger("shop").info("stdlib")
    with TracerProvider().get_tracer("t").start_as_current_span("work") as span:
        logger.warning(
            "sold to %s", "bob@example.com", name="x", message="y", **{"url.path": "/a"}, ecs={"event.kind": "event"}
        )
    logger.debug("not at level info")
    structlog.get_logger().info("of this module", labels={"a.b": 1})
    first, second, third = lines_of(structlog_file)
    assert [line["event.sequence"] for line in (first, second, third)] == [1, 2, 3]
    assert (second["message"], second["log.level"], second["log.logger"]) == (
        "sold to [masked:email]",
        "warning",
        "shop.orders",
    )
    assert second["labels"] == {"tenant": "t1", "order": "7", "password": "[masked:key]", "name": "x", "message": "y"}
    assert (second["url.path"], second["event.kind"]) == ("/a", "event")
    assert second["trace.id"] == f"{span.get_span_context().trace_id:032x}"
    assert third["log.logger"] == __name__
    assert third["labels"] == {"tenant": "t1", "a_b": "1"}


def test_structlogs_exceptions_are_error_fields(structlog_file: Path) -> None:
    """`exception` and `exc_info` give the same fields as in the standard library."""
    try:
        int("many")
    except ValueError as error:
        structlog.get_logger("a").exception("failed")
        structlog.get_logger("a").error("failed", exc_info=error, stack_info=True)
    structlog.get_logger("a").error("no error", exc_info=True)
    first, second, third = lines_of(structlog_file)
    assert first["error.type"] == second["error.type"] == "ValueError"
    assert 'int("many")' in str(first["error.stack_trace"])
    assert "error.type" not in third


def test_uvicorns_access_records_are_ecs(log: MemoryLog) -> None:
    """Method, path, query, code, version and client are fields; the query is apart, both without secrets."""
    log.logger.name = "uvicorn.access"
    for client, target in [
        ("10.0.0.7:5123", "/users/bob%40example.com?token=abc&q=a%26b&mail=bob%40example.com"),
        ("2001:db8::1:80", "/"),
        ("", "/x"),
    ]:
        log.logger.info('%s - "%s %s HTTP/%s" %d', client, "GET", target, "1.1", 200)
    first, second, third = log.lines
    assert first["message"] == "GET /users/[masked:email] 200"
    assert first["url.path"] == "/users/[masked:email]"
    assert first["url.query"] == "token=[masked:key]&q=a%26b&mail=[masked:email]"
    assert (first["http.request.method"], first["http.response.status_code"], first["http.version"]) == (
        "GET",
        200,
        "1.1",
    )
    assert (first["client.ip"], first["client.port"], first["event.category"]) == ("10.0.0.7", 5123, ["web"])
    assert (second["client.ip"], second["client.port"]) == ("2001:db8::1", 80)
    assert "client.ip" not in third
    assert "url.query" not in third


def test_gunicorns_access_records_are_ecs(log: MemoryLog) -> None:
    """The atoms of gunicorn's access log format are the same fields, with size, duration and user agent."""
    log.logger.name = "gunicorn.access"
    atoms = {
        "h": "10.0.0.7",
        "m": "POST",
        "U": "/a",
        "q": "password=x",
        "s": "201",
        "H": "HTTP/1.1",
        "B": "17",
        "D": "2500",
    }
    log.logger.info("%(m)s", {**atoms, "a": "curl/8", "f": "-"})
    (line,) = log.lines
    assert line["message"] == "POST /a 201"
    assert line["url.query"] == "password=[masked:key]"
    assert (line["http.response.body.bytes"], line["event.duration"]) == (17, 2_500_000)
    assert (line["user_agent.original"], line["http.version"], line["client.ip"]) == ("curl/8", "1.1", "10.0.0.7")
    assert "http.request.referrer" not in line


def test_other_records_of_these_loggers_are_lines(log: MemoryLog) -> None:
    """Whatever else is logged under a server's name is an ordinary line."""
    for name in ("uvicorn.access", "gunicorn.access", "uvicorn.error"):
        log.logger.name = name
        log.logger.info("plain")
        log.logger.info("%s %s", 1, 2)
    assert [line["message"] for line in log.lines] == ["plain", "1 2"] * 3


def test_chains_groups_and_notes_are_in_the_trace(log: MemoryLog) -> None:
    """Causes, members and notes are told; type and message are those of the outermost."""
    inner = ValueError("inner")
    inner.add_note("look at the shelf")
    group = ExceptionGroup("several", [inner, LookupError("second")])
    try:
        raise RuntimeError("outer") from group  # noqa: TRY301
    except RuntimeError:
        log.logger.exception("failed")
    (line,) = log.lines
    assert (line["error.type"], line["error.message"]) == ("RuntimeError", "outer")
    for words in ("inner", "look at the shelf", "several", "LookupError: second", "direct cause"):
        assert words in line["error.stack_trace"]


@pytest.mark.timeout(20)
def test_endless_chains_and_groups_are_bounded(log: MemoryLog) -> None:
    """A retry loop's chain of thousands, a vast group and a cycle cost little and say what happened last."""
    error: BaseException | None = None
    for number in range(20_000):
        following = ValueError(f"attempt {number}")
        following.__cause__ = error
        error = following
    log.logger.error("x", exc_info=error)
    log.logger.error("x", exc_info=ExceptionGroup("many", [ValueError(str(n)) for n in range(50_000)]))
    one, two = ValueError("one"), ValueError("two")
    one.__context__, two.__context__ = two, one
    log.logger.error("x", exc_info=one)
    chain, group, cycle = log.lines
    assert "attempt 19999" in chain["error.stack_trace"]
    assert "earlier exceptions left out" in chain["error.stack_trace"]
    assert "[50000 exceptions in this group]" in group["error.stack_trace"]
    assert cycle["error.message"] == "one"
    chained: list[BaseException] = []
    while error is not None:
        chained.append(error)
        error = error.__cause__
    for each in chained:  # unlinked one by one: freeing a long chain at once recurses
        each.__cause__ = None


def test_an_exception_without_words_or_sources_is_told(log: MemoryLog) -> None:
    """Exceptions that can't be formatted are named by their type."""

    class Mute(Exception):  # noqa: N818
        def __str__(self) -> str:
            raise RuntimeError("no words")

    error = Mute()
    error.__notes__ = 7  # type: ignore[assignment]
    log.logger.error("x", exc_info=error)
    assert "Mute" in log.lines[0]["error.stack_trace"]
