"""Faults switched over HTTP: each really breaks what it says, is visible, and leaves two deeds in the log."""

import statistics
import time
from typing import Any

import httpx
import pytest
from support.waiting import wait_for

COUNT = "http_server_request_duration_seconds_count"


def deeds(service: Any) -> list[tuple[str, str]]:
    """What the log says was done: (action, fault)."""
    return [
        (line["event.action"], line["labels"]["fault"]) for line in service.lines() if line.get("event.kind") == "event"
    ]


def test_errors_fail_exactly_their_part_of_the_requests(service: Any) -> None:
    """At ratio 0.6, six of ten requests answer 500, each with one error line that names the exception and the trace."""
    described = service.fault("errors", ratio=0.6)
    assert (described["active"], described["settings"]) == (True, {"ratio": 0.6})
    assert service.metric("transactions_fault_active", fault="errors") == 1
    codes = [service.get().status_code for _ in range(20)]
    assert (codes.count(500), codes.count(200)) == (12, 8)
    assert service.get("/health").status_code == 200
    service.no_fault("errors")
    assert service.metric("transactions_fault_active", fault="errors") == 0
    assert service.get().status_code == 200
    assert service.metric(COUNT, http_route="/transactions", http_response_status_code="500") == 12
    failures = service.lines(log__level="error")
    assert {line["message"] for line in failures} == {
        "GET /transactions answered 500: the card network did not answer within 2.0 s"
    }
    assert {line["error.type"] for line in failures} == {"transactions_api.card_network.CardNetworkTimeout"}
    assert len({line["trace.id"] for line in failures}) == 12
    assert deeds(service) == [("fault_started", "errors"), ("fault_stopped", "errors")]


def test_latency_slows_its_part_of_the_requests(service: Any) -> None:
    """At ratio 0.5 every second request takes the given time longer; nothing fails."""
    service.fault("latency", seconds=0.4, ratio=0.5)
    durations = []
    for _ in range(6):
        began = time.perf_counter()
        assert service.get().status_code == 200
        durations.append(time.perf_counter() - began)
    slow = [duration for duration in durations if duration > 0.4]
    assert len(slow) == 3
    assert statistics.median(slow) < 0.8
    route = {"http_route": "/transactions", "http_response_status_code": "200"}
    below = service.metric("http_server_request_duration_seconds_bucket", le="0.25", **route)
    assert service.metric(COUNT, **route) - below == 3


def test_a_stuck_subscriber_fills_the_queue_and_is_late(service: Any) -> None:
    """POST succeeds, the queue and its age grow, ten seconds later messages count as late, once; then all is stored."""
    service.fault("subscriber-stuck")
    for _ in range(3):
        assert service.post().status_code == 201
    assert service.metric("transactions_queue_length") == 3
    assert service.metric("transactions_late_total") == 0
    wait_for(lambda: service.metric("transactions_oldest_message_age_seconds") > 10.2, what="ten seconds to pass")
    assert service.metric("transactions_late_total") == 3
    assert service.metric("transactions_stored_total") == 0
    assert time.time() - service.metric("messaging_consumer_last_activity_timestamp_seconds") > 10
    assert service.get().json() == []
    service.no_fault("subscriber-stuck")
    wait_for(lambda: service.metric("transactions_stored_total") == 3, what="the queue to be stored")
    assert service.metric("transactions_late_total") == 3
    assert service.metric("transactions_queue_length") == 0
    assert service.metric("transactions_oldest_message_age_seconds") == 0
    assert service.metric("messaging_message_age_seconds_sum") > 30
    assert len(service.get().json()) == 3


def test_without_its_database_reads_fail_and_writes_wait(service: Any) -> None:
    """The file is really gone: GET answers 503 with SQLite's own reason in the log, POST is kept and stored later."""
    service.post()
    wait_for(lambda: service.metric("transactions_stored_total") == 1, what="it to be stored")
    service.fault("database-gone")
    assert not service.database.exists()
    assert service.get().status_code == 503
    assert service.post().status_code == 201
    wait_for(lambda: service.lines(log__logger="transactions_api.subscriber"), what="the subscriber to fail")
    assert service.metric("transactions_stored_total") == 1
    service.no_fault("database-gone")
    assert service.get().status_code == 200
    wait_for(lambda: service.metric("transactions_stored_total") == 2, what="the waiting one to be stored")
    assert service.metric("messaging_processed_messages_total", outcome="retried") >= 1
    assert service.metric("messaging_processed_messages_total", outcome="ok") == 2
    assert service.metric("messaging_redeliveries_total") >= 1
    (failed,) = service.lines(log__logger="reference_system.failures")
    assert (
        failed["message"] == "GET /transactions answered 503: the database can't be used: unable to open database file"
    )
    assert failed["error.type"] == "transactions_api.store.StoreUnavailable"
    assert failed["trace.id"]
    waiting = service.lines(log__logger="transactions_api.subscriber")[0]
    assert waiting["message"].startswith("Transactions could not be stored and wait: ")
    assert waiting["labels"] == {"waiting": "1"}
    posts = [line for line in service.lines(log__logger="uvicorn.access") if "POST" in line["message"]]
    assert waiting["trace.id"] == posts[1]["trace.id"]


def test_a_full_queue_refuses_honestly(start_service: Any) -> None:
    """Beyond its capacity the topic takes nothing: POST answers 503, and what was refused counts as nothing else."""
    service = start_service(TRANSACTIONS_QUEUE_CAPACITY="2")
    service.fault("subscriber-stuck")
    assert [service.post().status_code for _ in range(4)] == [201, 201, 503, 503]
    assert service.metric("transactions_published_total") == 2
    assert {line["error.type"] for line in service.lines(log__level="error")} == {"transactions_api.topic.TopicFull"}


def test_the_list_says_what_there_is(service: Any) -> None:
    """Names, descriptions, parameters with their bounds, and the state of each."""
    service.fault("latency")
    faults = {fault["name"]: fault for fault in httpx.get(f"{service.admin}/faults").json()["faults"]}
    assert list(faults) == ["errors", "latency", "subscriber-stuck", "database-gone"]
    assert all(fault["description"] for fault in faults.values())
    assert {name: list(fault["parameters"]) for name, fault in faults.items()} == {
        "errors": ["ratio"],
        "latency": ["seconds", "ratio"],
        "subscriber-stuck": [],
        "database-gone": [],
    }
    assert [name for name, fault in faults.items() if fault["active"]] == ["latency"]
    assert faults["latency"]["settings"] == {"seconds": 1.0, "ratio": 1.0}
    assert faults["latency"]["since"] is not None
    assert httpx.get(f"{service.admin}/faults/latency").json() == faults["latency"]


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "message"),
    [
        ("PUT", "error", b"", 404, "there is no fault 'error'; there are: errors, latency, subscriber-stuck"),
        ("DELETE", "error", b"", 404, "there is no fault 'error'"),
        ("PUT", "errors", b'{"ratio": 1.5}', 422, "ratio is 1.5; write a number above 0, up to 1"),
        ("PUT", "errors", b'{"ratio": 0}', 422, "ratio is 0;"),
        ("PUT", "errors", b'{"ratio": "half"}', 422, "ratio is 'half';"),
        ("PUT", "errors", b'{"ratio": true}', 422, "ratio is True;"),
        ("PUT", "errors", b'{"ratio": NaN}', 422, "ratio is nan;"),
        ("PUT", "errors", b'{"rate": 1}', 422, "rate is no parameter of errors; it has: ratio"),
        ("PUT", "subscriber-stuck", b'{"ratio": 1}', 422, "ratio is no parameter of subscriber-stuck; it has: none"),
        ("PUT", "errors", b"{", 422, "the body is no JSON object"),
        ("PUT", "errors", b"[1]", 422, "the body is no JSON object"),
        ("PUT", "errors", b"\xff", 422, "the body is no JSON object"),
        ("PUT", "errors", b"[" * 100_000, 422, "the body is no JSON object"),
    ],
)
def test_wrong_requests_are_refused_with_the_cure(  # noqa: PLR0917 - one column of the table each
    service: Any, method: str, path: str, body: bytes, code: int, message: str
) -> None:
    """An unknown fault or parameter changes nothing, and the answer says what there is."""
    answer = httpx.request(method, f"{service.admin}/faults/{path}", content=body)
    assert answer.status_code == code
    assert answer.json()["detail"].startswith(message)
    assert deeds(service) == []
    assert not any(fault["active"] for fault in httpx.get(f"{service.admin}/faults").json()["faults"])


def test_doing_it_again_is_no_new_deed(service: Any) -> None:
    """The same fault with the same settings is on already; other settings are a change, and told as one."""
    for ratio in (0.5, 0.5, 0.7):
        service.fault("errors", ratio=ratio)
    for _ in range(2):
        service.no_fault("errors")
    assert [line["message"] for line in service.lines() if line.get("event.kind") == "event"] == [
        "Fault errors started: ratio 0.5",
        "Fault errors changed: ratio 0.7",
        "Fault errors stopped after 0 s",
    ]


def test_a_fault_that_can_not_be_switched_says_so(service: Any) -> None:
    """If the database can't be moved away, the answer is 503 with the reason, and the fault is not on."""
    service.database.unlink()
    answer = httpx.put(f"{service.admin}/faults/database-gone")
    assert answer.status_code == 503
    assert "database-gone can't be switched on" in answer.json()["detail"]
    assert service.metric("transactions_fault_active", fault="database-gone") == 0
    assert deeds(service) == []


def test_admin_requests_are_no_traffic(service: Any) -> None:
    """What operators do is in no figure of the service."""
    for _ in range(3):
        httpx.get(f"{service.admin}/faults")
    assert "/faults" not in service.get("/metrics").text
    assert httpx.get(f"{service.url}/faults").status_code == 404
