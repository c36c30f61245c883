"""The way to a server, which a test can close: to those who come by it the server is gone, and goes on for all others.

To stop and start a real server again takes a test twenty seconds of a processor where that is Elasticsearch.
"""

import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from support.ports import free_port
from support.waiting import wait_for


@dataclass
class ClosableDoor:
    """While it is closed, connections through it are broken, and new ones are refused."""

    server_port: int
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address by this way."""
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Let everybody in."""
        command = [sys.executable, str(Path(__file__).parent / "door.py"), str(self.port), str(self.server_port)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._listens, what="the door is open")

    def close(self) -> None:
        """Let nobody in."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0
