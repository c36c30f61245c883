"""Real servers with several workers, under load, while workers are killed and replaced."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from support.ports import free_port
from support.shared_metrics import Samples, samples
from support.waiting import wait_for

SERVICE = """
import os
from fastapi import FastAPI
from prometheus_client import Counter
from sereno_telemetry import instrument

app = FastAPI()
instrument(app, service="shop")
orders = Counter("orders_total", "Orders.")

@app.post("/orders/{order}")
async def order(order: int) -> int:
    orders.inc()
    return os.getpid()
"""
HOOKS = "from sereno_telemetry.gunicorn_hooks import child_exit\n"
GUNICORN = ["-m", "gunicorn", "shop:app", "--workers", "3", "--worker-class", "uvicorn_worker.UvicornWorker"]
GUNICORN += ["--no-control-socket", "--graceful-timeout", "2"]  # a worker that is just starting misses SIGTERM
UVICORN = ["-m", "uvicorn", "shop:app", "--workers", "2", "--no-access-log", "--port"]

CLIENTS = 3
LABELS = {"http_route": "/orders/{order}", "http_request_method": "POST", "http_response_status_code": "200"}
REQUESTS = ("http_server_request_duration_seconds_count", tuple(sorted(LABELS.items())))
ORDERS, ACTIVE = ("orders_total", ()), ("http_server_active_requests", ())
ERRORS = ("sereno_telemetry_errors_total", ())
START = ("process_start_time_seconds", ())


@contextmanager
def serving(tmp_path: Path, arguments: list[str]) -> Iterator["Service"]:
    """The service on a free port; gone afterwards."""
    port = free_port()
    (tmp_path / "shop.py").write_text(SERVICE)
    (tmp_path / "gunicorn_hooks_conf.py").write_text(HOOKS)
    address = f"127.0.0.1:{port}" if "gunicorn" in arguments else str(port)
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "shared"), "HOME": str(tmp_path)}
    with (
        (tmp_path / "server.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, *arguments, address], cwd=tmp_path, env=environment, stdout=log, stderr=log
        ) as server,
        httpx.Client(timeout=20, limits=httpx.Limits(max_keepalive_connections=0)) as client,
    ):
        service = Service(f"http://127.0.0.1:{port}", client, server.pid)
        try:
            wait_for(service.answers, what="the server")
            yield service
        finally:
            server.terminate()
            server.wait(20)


class Service:
    """Clients of the service, each request on a connection of its own, so that any worker may answer."""

    def __init__(self, url: str, client: httpx.Client, server_pid: int) -> None:
        self._server_pid = server_pid
        self._url = url
        self._client = client
        self.sent = 0
        self.answered = 0
        self._last_pid = 0

    def answers(self) -> bool:
        """Whether anybody is there."""
        return self._get("/metrics") is not None

    def order(self) -> None:
        """Send one request; it has no answer if its worker is killed meanwhile."""
        self.sent += 1
        with contextlib.suppress(httpx.TransportError):
            self._last_pid = int(self._client.post(f"{self._url}/orders/{self.sent}").text)
            self.answered += 1

    def kill_one(self) -> None:
        """End the worker that answered last, as the kernel does when memory is short."""
        with contextlib.suppress(ProcessLookupError):  # dead already, and nobody has answered since
            os.kill(self._last_pid, signal.SIGKILL)

    def kill_all(self, members: Path) -> None:
        """End all workers at once; the process that starts them goes on, and starts new ones."""
        for member in members.glob("member_*"):
            pid = int(member.name.removeprefix("member_"))
            if pid != self._server_pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def scrape(self) -> Samples | None:
        """What any worker says; nothing if it is killed meanwhile."""
        text = self._get("/metrics")
        return None if text is None else samples(text)

    def _get(self, path: str) -> str | None:
        with contextlib.suppress(httpx.TransportError):
            answer = self._client.get(f"{self._url}{path}")
            return answer.text if answer.status_code == httpx.codes.OK else None
        return None


def counts(shown: Samples) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The samples that must never go down."""
    return {key: value for key, value in shown.items() if key[0].endswith(("_total", "_count", "_bucket"))}


def steady(service: Service) -> Samples | None:
    """What a worker says, if nothing is counted for a while."""
    before = service.scrape()
    time.sleep(0.5)
    now = service.scrape()
    is_steady = before is not None and now is not None and before[REQUESTS] == now[REQUESTS]
    return now if is_steady else None


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([*GUNICORN, "--bind"], id="gunicorn"),
        pytest.param([*GUNICORN, "--preload", "-c", "gunicorn_hooks_conf.py", "--bind"], id="gunicorn-preload"),
        pytest.param(UVICORN, id="uvicorn"),
    ],
)
def test_sums_stay_exact_while_workers_are_killed(tmp_path: Path, arguments: list[str]) -> None:
    """Every request is counted once, no scrape shows less than the one before, and the start of the service stays."""
    with serving(tmp_path, arguments) as service, ThreadPoolExecutor(CLIENTS) as pool:
        seen = [service.scrape()]
        running = [pool.submit(task) for task in 2 * [*[service.order] * 30, service.kill_one, *[service.order] * 30]]
        while not all(future.done() for future in running):
            seen.append(service.scrape())
        for future in running:
            future.result()
        # A request is counted when its answer is out, a moment after the client has it: the last ones may still come.
        under_load = wait_for(lambda: steady(service), what="figures that stand still")
        assert service.answered <= under_load[ORDERS] <= service.sent
        assert service.answered - 2 * CLIENTS <= under_load[REQUESTS] <= service.sent

        for _ in range(10):
            service.order()
        wait_for(lambda: (service.scrape() or under_load)[REQUESTS] == under_load[REQUESTS] + 10, what="10 requests")
        service.kill_one()
        last = wait_for(service.scrape, what="a scrape after a kill")
        assert last[ORDERS] - under_load[ORDERS] == last[REQUESTS] - under_load[REQUESTS] == 10
        assert last[ACTIVE] == last[ERRORS] == 0

        service.kill_all(tmp_path / "shared/sereno")
        risen = wait_for(service.scrape, what="workers after all of them were killed")
        assert (risen[ORDERS], risen[REQUESTS]) == (last[ORDERS], last[REQUESTS])

        shown = [each for each in (*seen, under_load, last, risen) if each is not None]
        for before, after in itertools.pairwise(shown):
            assert {key: value for key, value in counts(before).items() if after.get(key, -1) < value} == {}
        assert {each[START] for each in shown} == {shown[0][START]}
