"""A real Elasticsearch for tests: one server for a worker, started by scripts/elasticsearch on a free port.

Tests share it by namespaces of their own; the xdist group keeps them on one worker, so that there is one server, but
nothing breaks where they are spread.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sereno_backends.logs.elasticsearch_template import MAPPINGS

from support.closable_door import ClosableDoor
from support.ports import free_port
from support.waiting import wait_for

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "elasticsearch"
WITHOUT = "SERENO_TEST_WITHOUT_ELASTICSEARCH"
START_SECONDS = 200.0
STOP_SECONDS = 30.0
READY_PATH = "/_cluster/health?wait_for_status=yellow&timeout=1s"

marked = [pytest.mark.elasticsearch, pytest.mark.xdist_group("elasticsearch")]
"""What a test that asks for `elasticsearch` carries: `pytestmark = marked`, or as `marks` of a parameter."""


class ElasticsearchServer:
    """A server that a test may stop, start again and freeze; its data stay while `folder` stays."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self._data = folder / "node"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it unless it runs, and wait until it answers."""
        if self._process is None:
            with self.log.open("ab") as output:
                self._process = subprocess.Popen(
                    [SCRIPT, "run", self._data, str(self.port)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # the server is two processes: one signal reaches both
                )
        wait_for(self._answers, what=f"Elasticsearch answers ({self.log})", timeout_seconds=START_SECONDS)

    def stop(self) -> None:
        """Stop it; what it has answered for is on disk."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Kill -9: what it has answered for is on disk all the same."""
        if self._process is None:
            return
        process, self._process = self._process, None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)

    def freeze(self) -> None:
        """Let it hang: connections are taken, nothing is answered."""
        self._signal(signal.SIGSTOP)
        assert self._process is not None
        server = self._process.pid  # of a group: those that the script started stop, too
        wait_for(lambda: _are_stopped(server), what="the server stands still")

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server does not run"
        os.killpg(self._process.pid, number)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            last_lines = self.log.read_text(errors="replace").splitlines()[-20:]
            self._process = None
            pytest.fail("\n".join(["Elasticsearch ended:", *last_lines]), pytrace=False)
        try:
            return httpx.get(f"{self.url}{READY_PATH}", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False


def fresh_namespace() -> str:
    """A namespace that no other test uses: this server can't delete data streams."""
    return f"t{uuid4().hex}"


@pytest.fixture(scope="session")
def elasticsearch_server() -> Iterator[ElasticsearchServer]:
    """The one server of this worker."""
    if os.environ.get(WITHOUT) == "1":
        pytest.skip(f"{WITHOUT}=1: nothing that needs Elasticsearch is tested")
    # Not pytest's folder: root's is closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="sereno-elasticsearch-", dir="/var/tmp"))
    folder.chmod(0o755)
    server = ElasticsearchServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def elasticsearch(elasticsearch_server: ElasticsearchServer) -> ElasticsearchServer:
    """The running server; a test before may have stopped it."""
    elasticsearch_server.start()
    return elasticsearch_server


@pytest.fixture
def elasticsearch_door(elasticsearch: ElasticsearchServer) -> Iterator[ClosableDoor]:
    """An open way to the running server."""
    door = ClosableDoor(elasticsearch.port)
    door.open()
    try:
        yield door
    finally:
        door.close()


def install_picky_template(url: str, stream: str) -> None:
    """An administrator's own template of a stream, newer than Sereno's: it wants an object where `user.id` is text."""
    properties = {**MAPPINGS["properties"], "user.id": {"properties": {"number": {"type": "keyword"}}}}
    template = {
        "index_patterns": [stream],
        "data_stream": {},
        "priority": 500,
        "version": 1_000,
        "template": {"mappings": {"dynamic": False, "properties": properties}},
    }
    httpx.put(f"{url}/_index_template/sereno-{stream}", json=template, trust_env=False).raise_for_status()


def _are_stopped(group: int) -> bool:
    """Whether all threads of a process group have taken SIGSTOP; where there is no /proc, nobody knows."""
    states: list[str] = []
    for stat in Path("/proc").glob("[0-9]*/task/[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue  # it has ended meanwhile
        if int(of_group) == group:
            states.append(state)
    return all(state in "TtZ" for state in states)
