"""The endpoint for metrics of a process without an HTTP service."""

import logging
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.registry import Collector
from sereno_telemetry import Consumer, serve_metrics


def test_it_answers_as_the_service_does(registry: CollectorRegistry) -> None:
    """Text or OpenMetrics as asked, the start of the process included, nothing elsewhere."""
    Counter("orders", "Orders.", registry=registry).inc(3)
    with serve_metrics(0, host="127.0.0.1", registry=registry) as server:
        url = f"http://127.0.0.1:{server.port}"
        plain = httpx.get(f"{url}/metrics?x=1")
        assert plain.status_code == 200
        assert plain.headers["content-type"].startswith("text/plain")
        assert "orders_total 3.0" in plain.text
        assert "process_start_time_seconds " in plain.text
        assert "_created" not in plain.text
        open_metrics = httpx.get(f"{url}/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
        assert open_metrics.text.endswith("# EOF\n")
        assert httpx.head(f"{url}/metrics").text == ""
        assert httpx.get(f"{url}/").status_code == 404
        assert httpx.post(f"{url}/metrics").status_code == 501


def test_it_gives_its_port_back(registry: CollectorRegistry) -> None:
    """After `close` nobody listens, its thread is gone, and the same port can be served again; twice is once."""
    server = serve_metrics(0, host="127.0.0.1", registry=registry)
    port = server.port
    assert port is not None
    server.close()
    server.close()
    assert server.port is None
    assert "metrics" not in {thread.name for thread in threading.enumerate()}
    with serve_metrics(port, host="127.0.0.1", registry=registry) as again:
        assert again.port == port


def test_a_port_that_is_taken_stops_nothing(registry: CollectorRegistry, caplog: pytest.LogCaptureFixture) -> None:
    """The worker works on; the log says which port, why, and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with caplog.at_level(logging.ERROR, "sereno_telemetry"):
            server = serve_metrics(port, host="127.0.0.1", registry=registry)
    assert server.port is None
    server.close()
    (record,) = caplog.records
    assert record.getMessage() == (
        f"no metrics are served: can't listen on 127.0.0.1:{port} (Address already in use); "
        "give serve_metrics a free port of this machine, 0 chooses one"
    )


def test_wrong_set_up_is_told_at_once(registry: CollectorRegistry) -> None:
    """A developer's mistake is a ValueError."""
    with pytest.raises(ValueError, match="65535"):
        serve_metrics(65_536, registry=registry)
    with pytest.raises(ValueError, match="slash"):
        serve_metrics(0, registry=registry, path="metrics")


def test_silent_clients_hold_up_nobody(registry: CollectorRegistry) -> None:
    """A few connections that say nothing leave places for a scrape; more of them take no more threads."""
    with serve_metrics(0, host="127.0.0.1", registry=registry) as server:
        assert server.port is not None
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(8)]
        assert httpx.get(f"http://127.0.0.1:{server.port}/metrics").status_code == 200
        silent += [socket.create_connection(("127.0.0.1", server.port)) for _ in range(30)]
        deadline = time.monotonic() + 10
        while _hung_up(silent) < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert _hung_up(silent) >= 20
        assert sum("process_request_thread" in thread.name for thread in threading.enumerate()) <= 16
        for each in silent:
            each.close()


def _hung_up(connections: list[socket.socket]) -> int:
    ended = 0
    for each in connections:
        each.settimeout(0)
        try:
            ended += each.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            continue
        except OSError:
            ended += 1
    return ended


class _Broken(Collector):
    def collect(self) -> list[object]:  # type: ignore[override]
        raise RuntimeError("a collector of the application")


def test_a_collector_that_raises_fails_one_scrape(registry: CollectorRegistry) -> None:
    """The scrape says 500, the error is counted, and the server goes on."""
    with serve_metrics(0, host="127.0.0.1", registry=registry) as server:
        url = f"http://127.0.0.1:{server.port}/metrics"
        broken = _Broken()
        registry._collector_to_names[broken] = []
        assert httpx.get(url).status_code == 500
        del registry._collector_to_names[broken]
        assert "sereno_telemetry_errors_total 1.0" in httpx.get(url).text


def test_a_process_ends_though_it_serves() -> None:
    """Nothing has to be closed: the thread doesn't keep a worker alive, and needs no FastAPI."""
    code = (
        "import sys\n"
        "for name in ('fastapi', 'starlette', 'anyio', 'structlog', 'pika', 'redis'): sys.modules[name] = None\n"
        "from sereno_telemetry import serve_metrics, Consumer, Job, publishing\n"
        "import urllib.request\n"
        "server = serve_metrics(0, host='127.0.0.1')\n"
        "text = urllib.request.urlopen(f'http://127.0.0.1:{server.port}/metrics').read().decode()\n"
        "print('process_start_time_seconds' in text)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("True\n", "", 0)


def test_consumers_are_there_before_their_first_message(registry: CollectorRegistry) -> None:
    """Zeros from the start: a rate over the first message isn't lost."""
    Consumer("orders", system="rabbitmq", registry=registry)
    with serve_metrics(0, host="127.0.0.1", registry=registry) as server:
        text = httpx.get(f"http://127.0.0.1:{server.port}/metrics").text
    where = 'messaging_destination_name="orders",messaging_system="rabbitmq"'
    assert f'messaging_processed_messages_total{{{where},outcome="ok"}} 0.0' in text
    assert f"messaging_messages_in_progress{{{where}}} 0.0" in text
