"""Under a real uvicorn: figures scraped over HTTP, and log lines that lead to the trace."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from support.ports import free_port
from support.waiting import wait_for

SERVICE = """
import asyncio, sys
from pathlib import Path
import uvicorn
from fastapi import FastAPI
from sereno_telemetry import configure_logging, instrument

configure_logging("shop", path=Path(sys.argv[1]))
app = FastAPI()
instrument(app, service="shop")

@app.get("/items/{item}")
def item(item: int) -> int:
    return 100 // item

@app.get("/slow")
async def slow() -> None:
    await asyncio.sleep(60)

uvicorn.run(app, port=int(sys.argv[2]), log_config=None, timeout_graceful_shutdown=1)
"""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@contextmanager
def running_service(log: Path) -> Iterator[str]:
    """A small service on a free port; gone afterwards."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", SERVICE, str(log), str(port)]) as process:
        try:
            wait_for(lambda: log.exists() and "Uvicorn running" in log.read_text(), what="the service's first lines")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def lines(log: Path, **having: Any) -> list[dict[str, Any]]:
    """The log's lines that have the given values (`log__level` for `log.level`)."""
    documents = [json.loads(line) for line in log.read_text().splitlines()]
    wanted = {key.replace("__", "."): value for key, value in having.items()}
    return [document for document in documents if wanted.items() <= document.items()]


def test_log_and_metrics_lead_to_the_trace(tmp_path: Path) -> None:
    """Access line, failure line and exemplar of a request carry its trace; a failure is one line that names it."""
    log = tmp_path / "shop.log"
    with running_service(log) as url:
        assert httpx.get(f"{url}/items/5", headers=TRACEPARENT).json() == 20
        assert httpx.get(f"{url}/items/0", headers=TRACEPARENT).status_code == 500
        accept = {"accept": "application/openmetrics-text; version=1.0.0"}
        metrics = httpx.get(f"{url}/metrics", headers=accept).text
        wait_for(lambda: lines(log, log__level="error"), what="the failure in the log")
    (failure,) = lines(log, log__level="error")
    assert failure["message"] == "GET /items/{item} failed: integer division or modulo by zero"
    assert failure["error.type"] == "ZeroDivisionError"
    assert failure["trace.id"] == TRACE
    assert "ZeroDivisionError" in failure["error.stack_trace"]
    access = lines(log, log__logger="uvicorn.access")
    assert [line["message"] for line in access] == ["GET /items/5 200", "GET /items/0 500"]
    assert [(line["http.version"], line["client.ip"]) for line in access] == [("1.1", "127.0.0.1")] * 2
    assert {line["trace.id"] for line in access} == {TRACE}
    exemplars = [line for line in metrics.splitlines() if " # {" in line]
    assert {line.split("# {")[1].split("}")[0] for line in exemplars} == {f'trace_id="{TRACE}"'}
    assert (
        'http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="500"'
        in metrics
    )
    assert [line["event.sequence"] for line in lines(log)] == list(range(1, len(lines(log)) + 1))


def test_a_request_that_the_stopping_server_cuts_off_is_told(tmp_path: Path) -> None:
    """What a shutdown interrupts is in the log with its route and trace."""
    log = tmp_path / "shop.log"
    with ThreadPoolExecutor(1) as thread:
        with running_service(log) as url:
            answer = thread.submit(httpx.get, f"{url}/slow", headers=TRACEPARENT, timeout=30)
            wait_for(lambda: "http_server_active_requests 1.0" in httpx.get(f"{url}/metrics").text, what="it to begin")
        assert answer.result(10).status_code == 500
    (failure,) = lines(log, error__type="asyncio.exceptions.CancelledError")
    assert failure["message"].startswith("GET /slow failed: ")
    assert failure["trace.id"] == TRACE


def test_importing_needs_no_framework() -> None:
    """A worker without FastAPI can import the package and log; only `instrument` wants a framework."""
    code = (
        "import sys\n"
        "for name in ('fastapi', 'starlette', 'uvicorn', 'httpx', 'pydantic', 'opentelemetry.instrumentation'):\n"
        "    sys.modules[name] = None\n"
        "import sereno_telemetry\n"
        "sereno_telemetry.configure_logging('worker', stream=sys.stdout)\n"
        "import logging\n"
        "logging.getLogger('worker').info('works')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert json.loads(done.stdout)["message"] == "works"
