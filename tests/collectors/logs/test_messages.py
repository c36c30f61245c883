"""Metrics made of logs: every warning and error is counted once, under bounded names."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from sereno_backends.logs.fingerprint import MOST_TYPE_CHARACTERS, fingerprint
from sereno_collectors.logs.messages import IDLE_SECONDS, OTHER, MessageMetrics
from sereno_collectors.logs.model import Document
from support.collecting import Bench, Clock, ecs_line


def _document(level: str, message: str = "disk full", service: str = "checkout", **more: object) -> Document:
    body = {"log.level": level, "message": message, **more}
    return Document("id", "logs-app-default", orjson.dumps(body), service, "", 0, "2026-11-25T12")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A collector on a bench."""
    with closing(Bench(tmp_path)) as made:
        yield made


def _samples(messages: MessageMetrics) -> dict[tuple[str, str, str], float]:
    """The counters by service, level and fingerprint."""
    counters, _ = messages.collect()
    return {
        (one.labels["service"], one.labels["level"], one.labels["fingerprint"]): one.value for one in counters.samples
    }


def test_warnings_and_errors_are_counted_by_kind(bench: Bench) -> None:
    """A running collector counts lines of every shape by service, level and fingerprint, and none that is quiet."""
    bench.start()
    for number in range(5):
        bench.append(ecs_line(f"user {number} unknown", **{"log.level": "error", "error.type": "KeyError"}))
    bench.append(orjson.dumps({"log": {"level": "WARN"}, "message": "slow", "service": {"name": "checkout"}}).decode())
    bench.append(ecs_line('says "log.level":"error"'), ecs_line("fine", **{"log.level": "debug"}), "a line of text")
    bench.append(orjson.dumps({"log": {"level": "info"}, "message": "slow", "service.name": "checkout"}).decode())
    bench.drain()
    unknown = fingerprint("user 7 unknown", "KeyError")
    families = {family.name: family for family in bench.registry.collect()}
    counted = [(sample.labels, sample.value) for sample in families["sereno_log_messages"].samples]
    assert counted == [
        ({"service": "checkout", "level": "error", "fingerprint": unknown.identity}, 5),
        ({"service": "checkout", "level": "warning", "fingerprint": fingerprint("slow").identity}, 1),
    ]
    about = {"template": "user <num> unknown", "error_type": "KeyError"}
    assert families["sereno_log_fingerprint"].samples[0].labels == {
        "service": "checkout",
        "fingerprint": unknown.identity,
        **about,
    }


@pytest.mark.parametrize("message", ["info", "debug", 'says "log.level":"info"'])
def test_messages_are_no_levels(message: str) -> None:
    """An error whose level is nested is counted, whatever its message begins with."""
    body = orjson.dumps({"message": message, "log": {"level": "error"}})
    messages = MessageMetrics()
    messages.observe([Document("id", "logs-app-default", body, "checkout", "", 0, "2026-11-25T12")])
    assert _samples(messages) == {("checkout", "error", fingerprint(message).identity): 1}


def test_types_are_cut() -> None:
    """A type as long as a line is neither a label nor remembered whole."""
    messages = MessageMetrics()
    messages.observe([_document("error", **{"error.type": "E" * 100_000})])
    _, kinds = messages.collect()
    assert [len(one.labels["error_type"]) for one in kinds.samples] == [MOST_TYPE_CHARACTERS]
    assert set(_samples(messages)) == {("checkout", "error", fingerprint("disk full", "E" * 100_000).identity)}


def test_series_are_bounded_and_nothing_is_left_uncounted() -> None:
    """Beyond the bounds of services and fingerprints, documents are counted as `_other`."""
    messages = MessageMetrics(most_services=2, most_fingerprints=3)
    words = ("one", "two", "three", "four", "five")
    messages.observe([_document("error", word, service) for service in words for word in words])
    counted = _samples(messages)
    assert sum(counted.values()) == 25
    assert {service for service, _, _ in counted} == {"one", "two", OTHER}
    assert all(sum(name[0] == service for name in counted) == 4 for service in ("one", "two", OTHER))
    assert counted[OTHER, "error", OTHER] == 6


def test_what_is_idle_makes_room_for_what_is_new() -> None:
    """A fingerprint that did not come for an hour gives its place to a new one; a busy one never does."""
    clock = Clock()
    messages = MessageMetrics(monotonic=clock, most_fingerprints=2)
    messages.observe([_document("error", "idle"), _document("error", "busy")])
    clock.seconds += IDLE_SECONDS - 1
    messages.observe([_document("error", "busy"), _document("error", "new")])
    assert _samples(messages)["checkout", "error", OTHER] == 1
    clock.seconds += 1
    messages.observe([_document("error", "new")])
    names = {fingerprint(text).identity for text in ("busy", "new")} | {OTHER}
    assert {name for _, _, name in _samples(messages)} == names


def test_a_flood_of_new_messages_costs_no_more_than_its_share() -> None:
    """Beyond so many new messages a second the rest is `_other`; known messages keep their fingerprints."""
    clock = Clock()
    messages = MessageMetrics(monotonic=clock, new_messages_per_second=10)
    flood = [_document("error", f"row {number} is locked") for number in range(30)]
    messages.observe(flood)
    locked = fingerprint("row 1 is locked").identity
    assert _samples(messages) == {("checkout", "error", locked): 10, ("checkout", "error", OTHER): 20}
    messages.observe(flood[:10])
    assert _samples(messages)["checkout", "error", locked] == 20
    clock.seconds += 1
    messages.observe(flood[20:])
    assert _samples(messages)["checkout", "error", locked] == 30


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=30),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(["message", "error.type", "error", "log"]),
    st.text(max_size=9),
)
def test_any_document_is_stood_and_served(value: Any, name: str, service: str) -> None:
    """Whatever stands in a document's fields, counting raises nothing and the metrics can be written out."""
    messages = MessageMetrics()
    body = {"log.level": "error", name: value}
    messages.observe([Document("id", "s", orjson.dumps(body), service, "", 0, "2026-11-25T12")])
    registry = CollectorRegistry()
    registry.register(messages)
    assert b"sereno_log_messages_total{" in generate_latest(registry)
