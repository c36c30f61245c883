"""The load generator against a real service, against nothing, and at its end."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.ports import free_port
from support.timing import timed
from support.waiting import wait_for

Environment = Callable[..., dict[str, str]]

TALLY = re.compile(
    r"done after (?P<seconds>\d+) s: sent (?P<sent>\d+) \(.*?/s\), ok (?P<ok>\d+), failed (?P<failed>\d+)"
)


def command(url: str, *options: str) -> list[str]:
    """The generator's command line."""
    return [sys.executable, "-m", "transactions_api.load", "--url", url, *options]


def tally(output: str) -> dict[str, int]:
    """The figures of the last line."""
    found = TALLY.match(output.splitlines()[-1])
    assert found, output
    return {name: int(value) for name, value in found.groupdict().items()}


def run(environment: dict[str, str], url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        command(url, *options), env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@contextmanager
def silent_server() -> Iterator[str]:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=500) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_the_service_counts_what_the_generator_sent(service: Any, child_environment: Environment) -> None:
    """Every request arrives once and succeeds; reads are about seven of ten, of both kinds."""
    done = run(child_environment(), service.url, "--requests-per-second", "40", "--duration", "6", "--shape", "flat")
    assert (done.returncode, done.stderr) == (0, "")
    counted = tally(done.stdout)
    assert counted["sent"] == pytest.approx(240, abs=5)
    assert (counted["ok"], counted["failed"]) == (counted["sent"], 0)
    assert done.stdout.startswith("5 s: sent ")
    count = "http_server_request_duration_seconds_count"
    reads = service.metric(count, http_request_method="GET", http_response_status_code="200")
    writes = service.metric(count, http_request_method="POST", http_response_status_code="201")
    assert reads + writes - service.metric(count, http_route="/health") == counted["sent"]
    assert writes == service.metric("transactions_published_total") == pytest.approx(72, abs=25)
    assert service.metric(count, http_route="/transactions/{transaction_id}") > 40


def test_a_service_that_is_down_is_failures_and_no_traceback(child_environment: Environment) -> None:
    """The generator keeps its pace and its head, and ends with code 0: reporting is its job."""
    url = f"http://127.0.0.1:{free_port()}"
    done = run(child_environment(), url, "--requests-per-second", "50", "--duration", "2", "--shape", "flat")
    assert (done.returncode, done.stderr) == (0, "")
    counted = tally(done.stdout)
    assert counted["sent"] == pytest.approx(100, abs=5)
    assert (counted["ok"], counted["failed"]) == (0, counted["sent"])
    assert f"no connection x{counted['sent']}" in done.stdout


def test_a_service_that_hangs_does_not_slow_the_load(child_environment: Environment) -> None:
    """Open loop: requests go on being due; what is under way is bounded, the rest fails at once."""
    with silent_server() as url:
        options = ("--requests-per-second", "50", "--duration", "3", "--shape", "flat")
        done = run(child_environment(), url, *options, "--most-under-way", "20", "--timeout", "1")
    assert (done.returncode, done.stderr) == (0, "")
    counted = tally(done.stdout)
    assert counted["sent"] == pytest.approx(150, abs=5)
    assert (counted["ok"], counted["failed"]) == (0, counted["sent"])
    assert "no answer in time x" in done.stdout
    assert "too many under way x" in done.stdout


def test_a_strange_server_is_survived(child_environment: Environment) -> None:
    """Whoever answers 200 with something else teaches the generator nothing and doesn't break it."""

    def answer(listener: socket.socket) -> None:
        bodies = [b'[{"no": "id"}]', b"[1]", b"\xff\xfe", b'{"id": 1}', b'[{"id": "\\u0000 ?#%"}]']
        for number in range(1000):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                body = bodies[number % len(bodies)]
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                )

    with socket.create_server(("127.0.0.1", 0), backlog=500) as listener:
        thread = threading.Thread(target=answer, args=(listener,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        options = ("--requests-per-second", "50", "--duration", "2", "--shape", "flat")
        done = run(child_environment(), url, *options)
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    assert (done.returncode, done.stderr) == (0, "")
    counted = tally(done.stdout)
    assert counted["ok"] + counted["failed"] == counted["sent"]
    assert counted["ok"] > 50


def test_an_answer_that_is_no_success_is_named(service: Any, child_environment: Environment) -> None:
    """The report says which codes came, and agrees with the service about how many."""
    service.fault("errors", ratio=0.5)
    done = run(child_environment(), service.url, "--requests-per-second", "30", "--duration", "2", "--shape", "flat")
    counted = tally(done.stdout)
    assert f"HTTP 500 x{counted['failed']}" in done.stdout
    assert counted["failed"] == pytest.approx(counted["sent"] / 2, abs=1)
    count = "http_server_request_duration_seconds_count"
    assert service.metric(count, http_response_status_code="500") == counted["failed"]


@timed
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(child_environment: Environment, number: signal.Signals) -> None:
    """It stops within two seconds, also with unanswered requests, accounts for all of them, and exits 0."""
    with silent_server() as url:
        arguments = command(url, "--requests-per-second", "40", "--timeout", "60", "--report-every", "1")
        with subprocess.Popen(
            arguments, env=child_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("1 s: ")
            began = time.monotonic()
            process.send_signal(number)
            output, errors = process.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert (process.returncode, errors) == (0, "")
    counted = tally(output)
    assert counted["failed"] == counted["sent"] > 20
    assert f"cut off at the end x{counted['sent']}" in output


def test_a_reader_that_goes_away_ends_it(child_environment: Environment) -> None:
    """`… | head -1` gets its line and the generator stops without a traceback."""
    url = f"http://127.0.0.1:{free_port()}"
    with subprocess.Popen(
        command(url, "--requests-per-second", "1", "--report-every", "0.5"),
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        wait_for(lambda: process.poll() is not None, what="the generator to end")
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--url", "localhost:18080"], "is no web address; write for example http://127.0.0.1:18080"),
        (["--url", "http://"], "is no web address"),
        (["--url", "http://x:99999999"], "is no web address"),
        (["--url", "http://x:port"], "Invalid port"),
        (["--url", "http://x", "--requests-per-second", "0"], "0.0 is not in the range 0.01<=x<=1000"),
        (["--url", "http://x", "--start-at", "noon"], "'noon' is no moment; write for example 2026-11-20T08:00:00Z"),
        (["--url", "http://x", "--shape", "week"], "'week' is not one of 'day', 'flat'"),
        ([], "Missing option '--url'"),
    ],
)
def test_wrong_arguments_are_told_with_exit_code_2(
    child_environment: Environment, options: list[str], message: str
) -> None:
    """The cure stands in the message, and nothing is sent."""
    done = subprocess.run(
        [sys.executable, "-m", "transactions_api.load", *options],
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
