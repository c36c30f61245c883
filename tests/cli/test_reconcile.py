"""`sereno reconcile` on the embedded store."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from sereno_backends.logs import LogRecord, SqliteLogStore
from sereno_backends.logs.ecs import format_timestamp
from sereno_cli.main import run
from sereno_collectors.logs.model import Document
from sereno_collectors.logs.queue import DurableQueue, Settlement


def _written(path: Path, numbers: list[int], at: datetime) -> None:
    store = SqliteLogStore(path)
    document = {"service.node.name": "checkout-1"}
    store.write(
        [
            LogRecord(str(number), at, "checkout", "info", "hello", document={**document, "event.sequence": number})
            for number in numbers
        ]
    )
    store.close()


@pytest.fixture
def an_hour_ago(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> datetime:
    """When the records were written; the test runs in a folder of its own, without a server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SERENO_ELASTICSEARCH_URL", raising=False)
    return datetime.now(UTC) - timedelta(hours=1)


def test_a_whole_store_is_proven(an_hour_ago: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    """Without gaps the verdict is proven, and the exit code 0."""
    _written(Path("logs.sqlite"), [1, 2, 3], an_hour_ago)
    assert run(["reconcile", "--log-store", "logs.sqlite"]) == 0
    assert "proven: 3 documents, none missing, none twice" in capsys.readouterr().out


def test_missing_ones_are_named(an_hour_ago: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    """Gaps in the store, and lines at the end of a file, are named with exit code 1; dead letters are no gap."""
    _written(Path("logs.sqlite"), [1, 3, 5], an_hour_ago)
    lines = [
        orjson.dumps(
            {
                "@timestamp": format_timestamp(an_hour_ago),
                "service": {"name": "checkout", "node": {"name": "checkout-1"}},
                "event": {"sequence": number},
            }
        )
        for number in range(1, 8)
    ]
    Path("app.log").write_bytes(b"not json\n" + b"\n".join(lines) + b"\n")
    Path("dead.jsonl").write_bytes(orjson.dumps({"line": lines[1].decode(), "reason": "no"}) + b"\n")
    arguments = ["--log-store", "logs.sqlite", "--file", "app.log", "--dead-letters", "dead.jsonl"]

    assert run(["reconcile", *arguments, "--json"]) == 1
    answer = orjson.loads(capsys.readouterr().out)
    assert not answer["proven"]
    assert [(gap["lowest"], gap["highest"]) for gap in answer["gaps"]] == [(4, 4), (6, 7)]
    assert [(row["emitted"], row["dead_lettered"], row["missing"]) for row in answer["hours"]] == [(7, 1, 3)]

    assert run(["reconcile", *arguments]) == 1
    printed = capsys.readouterr().out
    assert "missing: checkout-1 (checkout) 6 to 7, 2 documents" in printed
    assert "NOT proven: 3 missing, 0 twice" in printed


def _queued(path: Path, numbers: list[int], at: datetime) -> DurableQueue:
    """A collector's queue with these numbers of checkout."""
    queue = DurableQueue(path, limit_bytes=1_000_000, report=pytest.fail)
    names = {"service.name": "checkout", "service.node.name": "checkout-1"}
    queue.put(
        [
            Document(
                str(number),
                "logs-app-default",
                orjson.dumps({"@timestamp": format_timestamp(at), **names, "event.sequence": number}),
                "checkout",
                "checkout-1",
                number,
                format_timestamp(at)[:13],
            )
            for number in numbers
        ]
    )
    return queue


@pytest.mark.parametrize("name", [None, "other.sqlite"])
def test_what_waits_in_the_queue_is_counted(
    name: str | None, an_hour_ago: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    """The collector's own queue or the one that is named; what left it unstored is missing."""
    _written(Path("logs.sqlite"), [1, 2], an_hour_ago)
    Path("var").mkdir()
    with closing(_queued(Path(name or "var/collector.queue.sqlite"), [3, 4], an_hour_ago)) as queue:
        arguments = ["reconcile", "--log-store", "logs.sqlite", "--json", *(["--queue", name] if name else [])]
        assert run(arguments) == 0
        (row,) = orjson.loads(capsys.readouterr().out)["hours"]
        assert (row["emitted"], row["indexed"], row["queued"], row["missing"]) == (4, 2, 2, 0)
        queue.settle([Settlement(parcel) for parcel in queue.take(9, 9_999, wait_seconds=0)])
        assert run(arguments) == 1
        (gap,) = orjson.loads(capsys.readouterr().out)["gaps"]
        assert (gap["lowest"], gap["highest"]) == (3, 4)


def test_the_newest_dead_letter_is_not_missing(an_hour_ago: datetime) -> None:
    """A line that was refused within --settle is a dead letter, as the queue's ledger goes as far as that."""
    _written(Path("logs.sqlite"), [1], an_hour_ago)
    now = datetime.now(UTC)
    with closing(_queued(Path("queue.sqlite"), [2], now)) as queue:
        queue.settle([Settlement(parcel) for parcel in queue.take(9, 9_999, wait_seconds=0)])
    names = {"service.name": "checkout", "service.node.name": "checkout-1", "event.sequence": 2}
    line = orjson.dumps({"@timestamp": format_timestamp(now), **names}).decode()
    Path("dead.jsonl").write_bytes(orjson.dumps({"line": line, "reason": "no"}) + b"\n")
    arguments = ["reconcile", "--log-store", "logs.sqlite", "--queue", "queue.sqlite"]
    assert run([*arguments, "--dead-letters", "dead.jsonl"]) == 0
    assert run(arguments) == 1


def test_where_nothing_was_emitted_nothing_is_proven(an_hour_ago: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    """A wiped store, a mistyped service: no proof, exit code 1; without a queue it is said what isn't proven."""
    _written(Path("logs.sqlite"), [1], an_hour_ago)
    assert run(["reconcile", "--log-store", "logs.sqlite", "--service", "chekcout"]) == 1
    printed = capsys.readouterr()
    assert "NOT proven: there is no document with a sequence number in this window" in printed.out
    assert "no queue at var/collector.queue.sqlite, the newest end of sources is not proven" in printed.err
    assert run(["reconcile", "--log-store", "logs.sqlite", "--service", "chekcout", "--json"]) == 1
    assert not orjson.loads(capsys.readouterr().out)["proven"]


def test_doubles_in_a_row_are_one_line(an_hour_ago: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that two shippers read doubles thousands: consecutive numbers are told together, JSON has each."""
    _written(Path("logs.sqlite"), [1, 2, 3, 4, 5, 6], an_hour_ago)
    store = SqliteLogStore("logs.sqlite")
    names = {"service.node.name": "checkout-1"}
    copies = [(2, "a"), (3, "a"), (4, "a"), (4, "b"), (6, "a")]
    store.write(
        [
            LogRecord(
                f"{number}{copy}", an_hour_ago, "checkout", "info", "x", document={**names, "event.sequence": number}
            )
            for number, copy in copies
        ]
    )
    store.close()
    assert run(["reconcile", "--log-store", "logs.sqlite"]) == 1
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("twice")]
    assert len(told) == 3
    assert "checkout-1 (checkout) 2 to 3, 2 numbers with 2 documents each, of " in told[0]
    assert "checkout-1 (checkout) 4, 3 documents of " in told[1]
    assert "checkout-1 (checkout) 6, 2 documents of " in told[2]


def test_names_of_sources_do_not_steer_the_terminal(an_hour_ago: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    """Control signs in what was logged are shown, not obeyed."""
    store = SqliteLogStore("logs.sqlite")
    document = {"service.node.name": "\x1b[2Jnode", "event.sequence": 2}
    copies = [LogRecord(each, an_hour_ago, "\x1b[31mshop", "info", "x", document=document) for each in ("a", "b")]
    after = LogRecord("c", an_hour_ago, "\x1b[31mshop", "info", "x", document={**document, "event.sequence": 4})
    store.write([*copies, after])
    store.close()
    assert run(["reconcile", "--log-store", "logs.sqlite"]) == 1
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert printed.count("\\x1b[2Jnode") == 3  # provable from, missing, twice


def test_a_damaged_queue_is_a_message(an_hour_ago: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    """What SQLite says of a queue's file is told with exit code 2; a traceback would end with the code of "no"."""
    _written(Path("logs.sqlite"), [1], an_hour_ago)
    path = Path("queue.sqlite")
    _queued(path, list(range(500)), an_hour_ago).close()
    content = path.read_bytes()
    path.write_bytes(content[:16384] + b"\x00" * (len(content) - 16384))
    assert run(["reconcile", "--log-store", "logs.sqlite", "--queue", "queue.sqlite"]) == 2
    assert "the queue queue.sqlite can't be read: " in capsys.readouterr().err


@pytest.mark.usefixtures("an_hour_ago")
def test_mistakes_are_messages(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong time or file is exit code 2, a store that is not there 3."""
    assert run(["reconcile", "--since", "soon"]) == 2
    assert run(["reconcile", "--file", "none.log"]) == 2
    assert "none.log can't be read" in capsys.readouterr().err
    Path("cut.log.gz").write_bytes(b"\x1f\x8b\x08")
    assert run(["reconcile", "--file", "cut.log.gz"]) == 2
    assert "cut.log.gz can't be read" in capsys.readouterr().err
    assert run(["reconcile", "--queue", "none.queue"]) == 2
    assert "no queue at none.queue" in capsys.readouterr().err
    assert run(["reconcile", "--queue", "cut.log.gz"]) == 2
    assert run(["reconcile", "--log-store", "none.sqlite"]) == 3
