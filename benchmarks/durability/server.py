"""A real Elasticsearch that a benchmark may kill, freeze and start again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "elasticsearch"
START_SECONDS = 120.0
STOP_SECONDS = 30.0


class ServerError(Exception):
    """The server did not start; the message tells where its log stands."""


def free_port() -> int:
    """A TCP port on loopback that nobody listened on a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Server:
    """One node with its data in `folder`, on a port of its own that it keeps."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it unless it runs, and wait until it answers.

        Raises:
            ServerError: it ended, or did not answer in time.
        """
        log = self._folder / "server.log"
        if self._process is None:
            with log.open("ab") as output:
                self._process = subprocess.Popen(
                    [SCRIPT, "run", self._folder / "node", str(self._port)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # the server is two processes: one signal reaches both
                )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"Elasticsearch did not start: see {log}")
            time.sleep(0.3)

    def kill(self) -> None:
        """Kill -9, as power loss of the process would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Connections are taken, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait(STOP_SECONDS)
        self._process = None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, number)

    def _answers(self) -> bool:
        try:
            path = f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s"
            return httpx.get(path, timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def running_server() -> Iterator[Server]:
    """A fresh server, ready; its data are removed in the end."""
    # Below /var/tmp, which the unprivileged user that the server runs as may enter.
    folder = Path(tempfile.mkdtemp(prefix="sereno-durability-", dir="/var/tmp"))
    folder.chmod(0o755)
    server = Server(folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or the server would outlive a benchmark that is ended
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
