"""The Transactions API as its customers and operators see it: a real process, spoken to over HTTP."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.ports import free_port
from support.timing import timed
from support.waiting import wait_for

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_what_is_posted_can_be_read(service: Any) -> None:
    """POST answers 201 with an id, under which the transaction is found once the subscriber stored it."""
    posted = service.post(account="A-7", amount_cents=995, currency="COP", description="rent")
    assert posted.status_code == 201
    transaction_id = posted.json()["id"]
    wait_for(lambda: service.get(f"/transactions/{transaction_id}").status_code == 200, what="it to be stored")
    found = service.get(f"/transactions/{transaction_id}").json()
    assert datetime.fromisoformat(found.pop("created_at")).utcoffset() is not None
    expected = {"id": transaction_id, "account": "A-7", "amount_cents": 995, "currency": "COP", "description": "rent"}
    assert found == expected
    assert [each["id"] for each in service.get().json()] == [transaction_id]


def test_lists_are_newest_first_and_bounded(service: Any) -> None:
    """`limit` bounds the list; without it there are at most twenty."""
    for number in range(25):
        service.post(amount_cents=number + 1)
    wait_for(lambda: service.metric("transactions_stored_total") == 25, what="all to be stored")
    assert [each["amount_cents"] for each in service.get("/transactions?limit=3").json()] == [25, 24, 23]
    assert len(service.get().json()) == 20


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"amount_cents": 0}, "body.amount_cents: Input should be greater than 0"),
        ({"amount_cents": 10**30}, "body.amount_cents: "),
        ({"currency": "euro"}, "body.currency: String should match pattern"),
        ({"account": ""}, "body.account: String should have at least 1 character"),
        ({"colour": "red"}, "body.colour: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_transaction_is_refused_with_its_reason(service: Any, fields: dict[str, Any], reason: str) -> None:
    """422, nothing published, and a warning in the log that says what was wrong and where to find the trace."""
    assert service.post(**fields).status_code == 422
    assert service.metric("transactions_published_total") == 0
    (line,) = service.lines(log__level="warning")
    assert line["message"].startswith(f"POST /transactions answered 422: {reason}")
    assert line["error.type"] == "fastapi.exceptions.RequestValidationError"
    assert len(line["trace.id"]) == 32


def test_what_is_not_there_is_404(service: Any) -> None:
    """An unknown id counts under its route, an unknown path with all others; both leave a warning."""
    assert service.get("/transactions/nope").status_code == 404
    assert service.get("/nope").status_code == 404
    count = "http_server_request_duration_seconds_count"
    code = {"http_response_status_code": "404"}
    assert service.metric(count, http_route="/transactions/{transaction_id}", **code) == 1
    assert service.metric(count, http_route="unmatched", **code) == 1
    assert [line["message"] for line in service.lines(log__level="warning")] == [
        "GET /transactions/{transaction_id} answered 404: there is no such transaction, or it is not stored yet",
        "GET (no route) answered 404: Not Found",
    ]


def test_all_figures_are_there_from_the_start(service: Any) -> None:
    """Business counters begin at zero and are exported before the first request, as are all faults."""
    for name in ("published_total", "stored_total", "late_total", "queue_length", "oldest_message_age_seconds"):
        assert service.metric(f"transactions_{name}") == 0
    for fault in ("errors", "latency", "subscriber-stuck", "database-gone"):
        assert service.metric("transactions_fault_active", fault=fault) == 0
    assert service.metric("process_start_time_seconds") > 1.6e9
    check = subprocess.run(
        ["promtool", "check", "metrics"],
        input=service.get("/metrics").text,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


def test_compiled_buckets_reach_the_histogram(start_service: Any, tmp_path: Path) -> None:
    """The file of SERENO_BUCKETS_FILE sets the bounds; a broken one is a warning and the service still runs."""
    buckets = tmp_path / "buckets.json"
    metrics = {"http_server_request_duration_seconds": [0.1, 0.3]}
    buckets.write_text(json.dumps({"service": "transactions-api", "metrics": metrics}))
    service = start_service(SERENO_BUCKETS_FILE=str(buckets))
    service.get()
    assert service.metric("http_server_request_duration_seconds_bucket", le="0.3", http_route="/transactions") == 1
    service.stop()
    buckets.write_text("{")
    service = start_service(SERENO_BUCKETS_FILE=str(buckets))
    assert [str(buckets) in line["message"] for line in service.lines(log__level="warning")] == [True]


def test_every_line_of_the_log_is_numbered_ecs(service: Any) -> None:
    """The log is JSON lines of one source, numbered without a gap, with access lines that carry trace ids."""
    for _ in range(5):
        service.get()
    service.stop()
    lines = service.lines()
    assert [line["event.sequence"] for line in lines] == list(range(1, len(lines) + 1))
    assert {line["service.name"] for line in lines} == {"transactions-api"}
    assert len({line["service.node.name"] for line in lines}) == 1
    access = [line for line in service.lines(log__logger="uvicorn.access") if "/transactions" in line["message"]]
    assert len({line["trace.id"] for line in access}) == 5


@timed
def test_sigterm_stores_what_waits_and_ends_quickly(service: Any, start_service: Any) -> None:
    """Published transactions are in the database when the process is gone, which takes less than two seconds."""
    ids = {service.post().json()["id"] for _ in range(20)}
    assert service.stop() < 2.0
    again = start_service()
    assert {each["id"] for each in again.get("/transactions?limit=200").json()} == ids


@timed
def test_sigterm_ends_quickly_with_requests_and_faults_going_on(service: Any) -> None:
    """Slow requests and a stuck subscriber don't hold the process; faults are switched off, and logged as such."""
    service.fault("subscriber-stuck")
    posted = service.post().json()["id"]
    service.fault("latency", seconds=30)
    with socket.create_connection(("127.0.0.1", int(service.url.rsplit(":", 1)[1]))) as waiting:
        waiting.sendall(b"GET /transactions HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: service.metric("http_server_active_requests") == 1, what="the request to begin")
        assert service.stop() < 2.0
    stopped = service.lines(event__action="fault_stopped")
    assert {line["labels"]["fault"] for line in stopped} == {"subscriber-stuck", "latency"}
    assert service.lines(error__type="asyncio.exceptions.CancelledError")
    assert not [line for line in service.lines() if "are lost with this process" in line["message"]], posted


@pytest.fixture
def run(child_environment: Callable[..., dict[str, str]], tmp_path: Path) -> Run:
    """Run the service to its end, which must come by itself."""

    def start(**variables: str) -> subprocess.CompletedProcess[str]:
        told = {
            "TRANSACTIONS_PORT": str(free_port()),
            "TRANSACTIONS_ADMIN_PORT": str(free_port()),
            "TRANSACTIONS_DATABASE": str(tmp_path / "transactions.sqlite3"),
            **variables,
        }
        command = [sys.executable, "-m", "transactions_api"]
        return subprocess.run(
            command, env=child_environment(**told), capture_output=True, text=True, check=False, timeout=30
        )

    return start


@pytest.mark.parametrize("variable", ["TRANSACTIONS_PORT", "TRANSACTIONS_ADMIN_PORT"])
def test_a_taken_port_is_one_line_and_exit_code_3(run: Run, variable: str) -> None:
    """Which port, and which variable to change; nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(**{variable: str(port)})
    assert done.returncode == 3
    assert done.stderr == (
        f"transactions-api: port {port} on 127.0.0.1 can't be listened on (Address already in use): "
        f"set {variable} to a free one\n"
    )


def test_wrong_variables_are_all_told_with_exit_code_2(run: Run) -> None:
    """Every mistake at once, each with what to write."""
    done = run(TRANSACTIONS_PORT="eighty", TRANSACTIONS_QUEUE_CAPACITY="0")
    assert done.returncode == 2
    assert done.stderr == (
        "transactions-api: TRANSACTIONS_PORT=eighty: write a whole number from 1 to 65535\n"
        "transactions-api: TRANSACTIONS_QUEUE_CAPACITY=0: write a whole number from 1 to 10000000\n"
    )


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"TRANSACTIONS_HOST": "no-such-host.invalid"}, "on no-such-host.invalid can't be listened on"),
        ({"TRANSACTIONS_DATABASE": "/proc/nowhere/t.sqlite3"}, "the database /proc/nowhere/t.sqlite3 can't be opened"),
        ({"TRANSACTIONS_LOG_FILE": "/proc/nowhere/t.log"}, "the log file /proc/nowhere/t.log can't be opened"),
        ({"TRANSACTIONS_DATABASE": __file__}, "file is not a database"),
    ],
)
def test_what_can_not_be_opened_is_told_with_exit_code_3(run: Run, variables: dict[str, str], message: str) -> None:
    """One readable line without a traceback."""
    done = run(**variables)
    assert done.returncode == 3
    told = [line for line in done.stderr.splitlines() if line.startswith("transactions-api: ")]
    assert len(told) == 1
    assert message in told[0]
    assert "Traceback" not in done.stderr


def test_two_services_can_not_share_a_port(service: Any, run: Run) -> None:
    """The second one ends with a message, and the first goes on undisturbed."""
    done = run(TRANSACTIONS_PORT=service.url.rsplit(":", 1)[1])
    assert done.returncode == 3
    assert service.get().status_code == 200


def test_a_killed_service_leaves_a_usable_database(service: Any, start_service: Any) -> None:
    """After SIGKILL with the database taken away, the next start finds it again with all that was stored."""
    service.post()
    wait_for(lambda: service.metric("transactions_stored_total") == 1, what="it to be stored")
    service.fault("database-gone")
    assert not service.database.exists()
    service.process.send_signal(signal.SIGKILL)
    service.process.wait(10)
    assert len(start_service().get().json()) == 1


def test_the_admin_port_is_for_this_machine_only(start_service: Any) -> None:
    """Even when the API listens everywhere, faults answer on loopback only, and only under its own names."""
    service = start_service(TRANSACTIONS_HOST="0.0.0.0")
    assert httpx.get(f"{service.admin}/faults", headers={"host": "evil.example"}).status_code == 400
    address = socket.gethostbyname(socket.gethostname())
    if address.startswith("127."):
        return
    with pytest.raises(httpx.ConnectError):
        httpx.get(service.admin.replace("127.0.0.1", address) + "/faults")
