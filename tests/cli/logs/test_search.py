"""`sereno logs search` as a user calls it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sereno_backends.logs import LogRecord, SqliteLogStore
from sereno_cli.main import run
from support.log_records import NOON

WINDOW = ("--window", "2026-11-22T11:00:00Z..2026-11-22T13:00:00Z")
Search = Callable[..., int]


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Search:
    """Search a store with ten numbered lines of each of two services; the fifth of checkout is an error."""
    monkeypatch.delenv("SERENO_ELASTICSEARCH_URL", raising=False)
    path = tmp_path / "logs.sqlite"
    store = SqliteLogStore(path)
    store.write([_record(service, number) for number in range(1, 11) for service in ("checkout", "mail")])
    store.close()
    return lambda *arguments: run(["logs", "search", *arguments, "--log-store", str(path)])


def _record(service: str, number: int) -> LogRecord:
    is_error = (service, number) == ("checkout", 5)
    document: dict[str, object] = {"service.node.name": f"{service}-1", "event.sequence": number}
    if is_error:
        document["error.stack_trace"] = "\n".join(f"frame {frame}" for frame in range(1, 9))
    return LogRecord(
        record_id=f"{service}-{number}",
        timestamp=NOON + timedelta(seconds=number),
        service=service,
        level="error" if is_error else "info",
        message="payment \x1b[2J refused" if is_error else f"line {number}",
        trace_id="abc" if is_error else None,
        document=document,
    )


def test_words_service_level_and_trace_find_the_line(search: Search, capsys: pytest.CaptureFixture[str]) -> None:
    """The line is shown with time, level, service, message and trace; its stack trace by its end; nothing is obeyed."""
    asked = ("payment refused", "--service", "checkout", "--level", "ERROR", "--trace", "abc", *WINDOW)
    assert search(*asked) == 0
    first, *stack = capsys.readouterr().out.splitlines()
    assert first == "2026-11-22T12:00:05.000Z error    checkout: payment \\x1b[2J refused  trace=abc"
    assert stack == ["    … 5 lines before (--full shows them)", *(f"    frame {number}" for number in (6, 7, 8))]
    search(*asked, "--full")
    assert "frame 1\n" in capsys.readouterr().out


def test_context_is_of_the_same_source(search: Search, capsys: pytest.CaptureFixture[str]) -> None:
    """`--context` shows the lines whose numbers stand next to the found one's, and no other service's."""
    assert search("refused", "--context", "2", "--json", *WINDOW) == 0
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["service.node.name"], one["event.sequence"]) for one in documents] == [
        ("checkout-1", number) for number in (3, 4, 5, 6, 7)
    ]


def test_top_counts_messages(search: Search, capsys: pytest.CaptureFixture[str]) -> None:
    """`--top` shows the most frequent messages first, with their counts."""
    assert search("--top", "--limit", "1", "--level", "info", *WINDOW) == 0
    assert capsys.readouterr().out.split()[:4] == ["2", "info", "line", "1"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--service", "chekout", *WINDOW), "no lines of chekout; there are checkout, mail"),
        (("zebra", *WINDOW), "20 lines of other kinds"),
        (("--around", "2020-01-01T00:00:00Z"), "the window is empty"),
    ],
)
def test_nothing_found_says_what_is_near(
    search: Search, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    """Exit code 1, and what is there instead."""
    assert search(*arguments) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--since", "yesterday"), "'yesterday' is no time"),
        (("--since", "2200-01-01T00:00:00Z"), "is in the future"),
        (("--window", "2h"), "write FROM..TO"),
        (("--window", "1h..2h"), "earlier time first"),
        (("--window", "2h..1h", "--around", "1h"), "give one"),
        (("--top", "--json"), "--top shows no lines"),
    ],
)
def test_mistakes_are_told_with_a_cure(
    search: Search, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    """Exit code 2 and what to write."""
    assert search(*arguments) == 2
    assert told in capsys.readouterr().err


def test_a_missing_store_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3 where no store is."""
    assert run(["logs", "search", "--log-store", str(tmp_path / "none.sqlite")]) == 3
    assert "no log store at" in capsys.readouterr().err


@pytest.mark.parametrize("how", [(), ("--top",), ("--top", "--alike"), ("--service", "none")])
def test_levels_and_services_do_not_steer_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: tuple[str, ...]
) -> None:
    """Names are logged text, too: other shippers write whatever a line holds there."""
    monkeypatch.delenv("SERENO_ELASTICSEARCH_URL", raising=False)
    store = SqliteLogStore(tmp_path / "logs.sqlite")
    store.write([LogRecord("1", NOON, "shop\x9b2J", "\x9b31m", "hello")])
    store.close()
    run(["logs", "search", *how, *WINDOW, "--log-store", str(tmp_path / "logs.sqlite")])
    printed = capsys.readouterr()
    assert "\\x9b" in printed.out + printed.err
    assert "\x9b" not in printed.out + printed.err
