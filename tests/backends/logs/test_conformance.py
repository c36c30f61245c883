"""What every log store does, asked of each of them."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sereno_backends.logs import LogQuery, LogRecord, LogStore, LogStoreError, MessageCount, WriteResult
from sereno_backends.logs.words import HEAD_UNITS, words
from support.log_records import NOON, Ask, MakeRecord


def ids(records: tuple[LogRecord, ...]) -> list[str]:
    """The ids in their order."""
    return [record.record_id for record in records]


def test_what_was_written_is_found_unchanged_oldest_first(store: LogStore, record: MakeRecord, ask: Ask) -> None:
    """A record comes back with every field as it was written."""
    later = record(
        "b",
        "Payment failed",
        at=2.000001,
        level="error",
        dataset="payments",
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        error_type="TimeoutError",
        action="fault_started",
        document={"@timestamp": "2026-11-22T12:00:02.000001Z", "labels": {"fault": "errors"}, "n": [1, 2.5, None]},
    )
    earlier = record("a", at=1, document={"message": "hello"})
    assert store.write([later, earlier]) == WriteResult(indexed=2, duplicates=0)
    assert store.search(ask()) == (earlier, later)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"message": "hello", "log.level": "info", "service.name": "checkout"},
        {"message": "another message", "log": {"level": "INFO", "logger": "x"}, "service": {"name": "other"}},
        {"@timestamp": "not a time", "event": {"dataset": "other"}, "trace": {"id": 5}},
        {"sereno": {"words": "mine"}, "sereno.document": "mine", "service.name": "checkout"},
        {"unknown": {"deep": [{"a": 1}, {"b": None}]}, "Ünïcode \U0001f600": "\u0000\u2028"},
        {"process.pid": "no number", "event.sequence": 2**63 - 1, "labels": {"a.b": "c", "a": "d"}},
    ],
)
def test_a_document_is_kept_exactly(store: LogStore, record: MakeRecord, ask: Ask, document: dict[str, Any]) -> None:
    """Whatever a document says or lacks, it is given back exactly, and the record's own fields decide."""
    written = record("a", document=document)
    store.write([written])
    assert store.search(ask(services=("checkout",), levels=("info",), text="hello")) == (written,)


def test_writing_again_stores_nothing_twice(store: LogStore, record: MakeRecord, ask: Ask) -> None:
    """A record id is stored once, over batches and within one, and the answer accounts for each record."""
    store.write([record("a"), record("b")])
    answer = store.write([record("b"), record("c"), record("c")])
    assert answer == WriteResult(indexed=1, duplicates=2)
    assert store.count(ask()) == 3


def test_the_window_is_half_open_to_the_microsecond(store: LogStore, record: MakeRecord) -> None:
    """The start belongs to the window, the end does not, and a microsecond makes the difference."""
    store.write([record("before", at=-0.000001), record("start"), record("last", at=0.999999), record("end", at=1)])
    found = store.search(LogQuery(start=NOON, end=NOON + timedelta(seconds=1)))
    assert ids(found) == ["start", "last"]
    elsewhere = timezone(timedelta(hours=-5))
    assert store.count(LogQuery(start=NOON.astimezone(elsewhere), end=(NOON + timedelta(seconds=1)))) == 2


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ["a", "b", "c"]),
        ({"services": ("checkout",)}, ["a", "b"]),
        ({"services": ("checkout", "mail")}, ["a", "b", "c"]),
        ({"services": ("check",)}, []),
        ({"levels": ("error", "critical")}, ["b", "c"]),
        ({"levels": ("error",), "services": ("mail",)}, []),
        ({"actions": ("fault_started", "deployment")}, ["c"]),
        ({"trace_id": "t-1"}, ["b"]),
        ({"trace_id": "t"}, []),
        ({"limit": 2}, ["b", "c"]),
        ({"limit": 0}, []),
    ],
)
def test_all_conditions_must_hold(
    store: LogStore, record: MakeRecord, ask: Ask, conditions: dict[str, Any], expected: list[str]
) -> None:
    """A query returns the newest records for which every given condition holds."""
    store.write(
        [
            record("c", at=3, service="mail", level="critical", action="fault_started", dataset="other"),
            record("a", at=1),
            record("b", at=2, level="error", trace_id="t-1"),
        ]
    )
    assert ids(store.search(ask(**conditions))) == expected
    assert store.count(ask(**{**conditions, "limit": 1})) == len(
        expected if "limit" not in conditions else ["a", "b", "c"]
    )


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"source": "checkout-1"}, ["1", "2", "3"]),
        ({"source": "checkout-1", "sequences": (2, 3)}, ["2", "3"]),
        ({"sequences": (2, 2)}, ["2", "other"]),
        ({"source": "checkout"}, []),
    ],
)
def test_a_source_and_its_sequence_numbers_are_found(
    store: LogStore, record: MakeRecord, ask: Ask, conditions: dict[str, Any], expected: list[str]
) -> None:
    """Lines are found by who wrote them and by their numbers, both ends included, in dotted and in nested spelling."""
    dotted = {"service.node.name": "checkout-1", "event.sequence": 1}
    nested = [{"service": {"node": {"name": "checkout-1"}}, "event": {"sequence": number}} for number in (2, 3)]
    other = {"service.node.name": "checkout-2", "event.sequence": 2}
    documents = {"1": dotted, "2": nested[0], "3": nested[1], "other": other, "unnumbered": {}}
    store.write([record(name, at=at, document=document) for at, (name, document) in enumerate(documents.items())])
    assert ids(store.search(ask(**conditions))) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("reach", True),
        ("POSTGRES reach", True),
        ("id", True),
        ("user_id", True),
        ("42", True),
        ("4", False),
        ("10.0.0.1", True),
        ("10.0.0.2", False),
        ("cafe", True),
        ("CAFÉ", True),
        ("weiss", True),
        ("reach mail", False),
        ("can't", True),
        ("rea", False),
        ('"reach" AND (', False),
        ("reach*", True),
        ("", True),
        ("!?", True),
    ],
)
def test_all_words_of_a_text_must_occur(store: LogStore, record: MakeRecord, ask: Ask, text: str, found: bool) -> None:
    """Words are runs of letters and digits in any order, case and accent; signs mean nothing, nor do operators."""
    store.write([record("a", "Can't reach postgres.main at 10.0.0.1 for user_id=42 (café, weiß)")])
    assert bool(store.count(ask(text=text))) is found


def test_words_of_random_text_are_found_as_defined(store: LogStore, record: MakeRecord, ask: Ask) -> None:
    """For any text, a store finds exactly the messages whose words, as `words` defines them, hold all that is asked."""
    generator = random.Random(7)
    unusual = "\u00e9\u00c9\u00df\u0130\u0131\u4e2d\u6587\u0301\u0e01\u0e31\u0661\u00bd\U0001f600\u200d\u00a0\ufb01"
    alphabet = "ab1_-.:/'\"* " + unusual
    messages = ["".join(generator.choices(alphabet, k=generator.randint(1, 12))) for _ in range(300)]
    store.write([record(str(number), message) for number, message in enumerate(messages)])
    for text in generator.sample(messages, 60):
        expected = {str(number) for number, message in enumerate(messages) if set(words(text)) <= set(words(message))}
        assert set(ids(store.search(ask(text=text, limit=1000)))) == expected, text


def test_a_very_long_word_is_found(store: LogStore, record: MakeRecord, ask: Ask) -> None:
    """A word of a thousand letters is found by itself, and is no trouble for its message."""
    store.write([record("a", "token " + "x" * 1000)])
    assert store.count(ask(text="x" * 1000)) == 1
    assert store.count(ask(text="y" * 1000)) == 0


def test_records_of_one_instant_keep_the_order_of_writing(store: LogStore, record: MakeRecord, ask: Ask) -> None:
    """Equal timestamps are ordered by when they were written, and the limit cuts the first of them."""
    store.write([record("c"), record("a")])
    store.write([record("b")])
    assert ids(store.search(ask())) == ["c", "a", "b"]
    assert ids(store.search(ask(limit=2))) == ["a", "b"]


def test_top_messages_say_how_often_when_and_where_to_look(store: LogStore, record: MakeRecord, ask: Ask) -> None:
    """Messages are counted by text and level, with first and last time and the newest trace and error type."""
    store.write(
        [
            record("1", "boom", at=1.000001, level="error", trace_id="t-old", error_type="OldError"),
            record("2", "boom", at=3, level="error", trace_id="t-new", error_type="NewError"),
            record("3", "boom", at=4.000002, level="error"),
            record("4", "boom", at=2),
            record("5", "fine", at=5),
            record("6", "fine", at=6),
        ]
    )
    moment = NOON + timedelta(seconds=1)
    boom = MessageCount(
        message="boom",
        level="error",
        count=3,
        first=moment + timedelta(microseconds=1),
        last=moment + timedelta(seconds=3, microseconds=2),
        trace_id="t-new",
        error_type="NewError",
    )
    fine = MessageCount("fine", "info", 2, NOON + timedelta(seconds=5), NOON + timedelta(seconds=6), None)
    single = MessageCount("boom", "info", 1, NOON + timedelta(seconds=2), NOON + timedelta(seconds=2), None)
    assert store.top_messages(ask()) == (boom, fine, single)
    assert store.top_messages(ask(limit=1)) == (boom,)
    assert store.top_messages(ask(limit=0)) == ()
    assert store.top_messages(ask(levels=("info",), text="boom")) == (single,)


def test_top_messages_find_the_most_frequent_pair(store: LogStore, record: MakeRecord, ask: Ask) -> None:
    """A message spread over levels does not hide one that is more frequent at one level; ties go by text."""
    spread = [record(f"s{number}", "spread", level=("info", "error")[number % 2]) for number in range(10)]
    focused = [record(f"f{number}", "focused") for number in range(6)]
    store.write([*spread, *focused, record("z", "zebra"), record("ä", "ä"), record("Z", "Zebra")])
    counts = [(one.message, one.level, one.count) for one in store.top_messages(ask(limit=5))]
    assert counts == [
        ("focused", "info", 6),
        ("spread", "error", 5),
        ("spread", "info", 5),
        ("Zebra", "info", 1),
        ("zebra", "info", 1),
    ]


@pytest.mark.parametrize("beginning", ["x" * HEAD_UNITS, "\U0001f600" * (HEAD_UNITS // 2)], ids=["ascii", "emoji"])
@pytest.mark.parametrize("more", ["", "y", "yz", "y" * 50_000])
def test_long_messages_are_counted_by_their_beginning(
    store: LogStore, record: MakeRecord, ask: Ask, beginning: str, more: str
) -> None:
    """Messages with the same first 1,024 characters (UTF-16 units) are one in the counts, whole in the records."""
    message = beginning + more
    store.write([record("1", message), record("2", message)])
    assert [(one.message, one.count) for one in store.top_messages(ask())] == [(beginning, 2)]
    assert store.search(ask(limit=1))[0].message == message


@pytest.mark.parametrize(
    "change",
    [
        {"record_id": ""},
        {"record_id": "x" * 513},
        {"message": "half a pair \ud83d"},
        {"document": {"message": "half a pair \ud83d"}},
        {"document": {"number": 2**64}},
        {"document": {"what": object()}},
        {"timestamp": datetime(2026, 11, 22, 12)},  # noqa: DTZ001 - that is what is tested
        {"timestamp": datetime(1, 1, 1, tzinfo=UTC)},
        {"timestamp": datetime(2262, 1, 1, tzinfo=UTC)},
    ],
    ids=["no id", "long id", "text", "document text", "number", "object", "no zone", "too early", "too late"],
)
def test_what_no_store_can_take_is_rejected_alone(
    store: LogStore, record: MakeRecord, ask: Ask, change: dict[str, Any]
) -> None:
    """A record that can't be stored is rejected with a reason, and the rest of its batch is stored."""
    bad = replace(record("bad"), **change)
    answer = store.write([record("a"), bad, record("b")])
    assert (answer.indexed, answer.duplicates) == (2, 0)
    (rejection,) = answer.rejections
    assert rejection.record_id == bad.record_id
    assert rejection.reason
    assert ids(store.search(ask())) == ["a", "b"]


def test_an_empty_store_answers_with_nothing(store: LogStore, ask: Ask) -> None:
    """Asking a store in which nothing is yet is no error."""
    assert store.search(ask()) == ()
    assert store.count(ask(text="x", services=("a",))) == 0
    assert store.top_messages(ask()) == ()


def test_a_closed_store_says_so(store: LogStore, record: MakeRecord, ask: Ask) -> None:
    """After `close` every call is a clear error, closing again is not."""
    store.close()
    store.close()
    for call in (
        lambda: store.write([record("a")]),
        lambda: store.search(ask()),
        lambda: store.count(ask()),
        lambda: store.top_messages(ask()),
    ):
        with pytest.raises(LogStoreError, match="closed"):
            call()
