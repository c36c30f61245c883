"""A real PostgreSQL for tests: one server for a worker, on a free port of loopback, in a temporary folder.

Tests share it by databases of their own. PostgreSQL refuses to run as root: where the tests do, it gets Debian's user
`postgres`, or `nobody`. Without Debian's postgresql on this machine the tests are skipped.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.ports import free_port
from support.waiting import wait_for

USER, PASSWORD = "sereno", "pässword 'of' tests"
STOP_SECONDS = 20


def _programs() -> Path | None:
    """Where initdb and postgres are: Debian keeps them off the PATH, a folder for each version."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    on_path = shutil.which("initdb")
    return debian[-1].parent if debian else Path(on_path).resolve().parent if on_path else None


PROGRAMS = _programs()
marked = [
    pytest.mark.skipif(PROGRAMS is None, reason="needs PostgreSQL: make test-tools"),
    pytest.mark.xdist_group("postgresql"),
]
"""What a test that asks for `postgresql` carries: `pytestmark = marked`."""


@dataclass(slots=True)
class PostgresqlServer:
    """A server; `process` is another one after a restart."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: str = "postgres") -> str:
        """Where libpq's clients connect, as superuser."""
        quoted = "p%C3%A4ssword%20%27of%27%20tests"
        return f"postgresql://{USER}:{quoted}@127.0.0.1:{self.port}/{database}"

    def run(self, sql: str, database: str = "postgres") -> None:
        """Run statements as superuser, each committed by itself."""
        command = [str(_program("psql")), "-qX", "-v", "ON_ERROR_STOP=1", "-f", "-", self.url(database)]
        done = subprocess.run(command, input=sql.encode(), capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr.decode(errors="replace")

    def take(self, path: Path, name: str) -> None:
        """Copy a file into the server's folder, where the server alone reads it."""
        copy = self.folder / name
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(copy, _unprivileged().pw_uid, _unprivileged().pw_gid)

    def kill(self) -> None:
        """End it as a crash would, with the processes that serve its clients."""
        command = ["pkill", "-KILL", "-P", str(self.process.pid)]
        subprocess.run(command, check=True, timeout=STOP_SECONDS)
        self.process.kill()
        self.process.wait(timeout=STOP_SECONDS)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within the block it takes connections and answers nothing, nor do the processes that serve its clients."""
        self.process.send_signal(signal.SIGSTOP)
        subprocess.run(["pkill", "-STOP", "-P", str(self.process.pid)], check=True, timeout=STOP_SECONDS)
        try:
            yield
        finally:
            subprocess.run(["pkill", "-CONT", "-P", str(self.process.pid)], check=True, timeout=STOP_SECONDS)
            self.process.send_signal(signal.SIGCONT)

    def start_again(self) -> None:
        """After `kill`: on the same port, with the same data."""
        self.process = _started(self.folder, self.port)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """The server; it is gone when the session ends."""
    with running_postgresql() as server:
        yield server


@contextmanager
def running_postgresql() -> Iterator[PostgresqlServer]:
    """A server of its own, for tests that end it."""
    with tempfile.TemporaryDirectory(prefix="sereno-postgresql-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        password = folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        if os.geteuid() == 0:
            for path in (folder, password):
                os.chown(path, _unprivileged().pw_uid, _unprivileged().pw_gid)
        initialised = subprocess.run(
            [str(_program("initdb")), "-D", str(folder / "data"), "-U", USER, "-E", "UTF8", "--locale=C", "--no-sync",
             "--auth=scram-sha-256", f"--pwfile={password}"],
            capture_output=True, check=False, timeout=60, **_as_whom(),
        )  # fmt: skip
        assert initialised.returncode == 0, initialised.stderr.decode(errors="replace")
        port = free_port()
        server = PostgresqlServer(folder, port, _started(folder, port))
        try:
            yield server
        finally:
            server.process.send_signal(signal.SIGINT)  # clients are hung up, data are written
            try:
                server.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()


def _started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": folder,
        "fsync": "off",
        "shared_buffers": "16MB",
        "max_connections": 40,
        "shared_preload_libraries": "pg_stat_statements",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as output:
        server = subprocess.Popen(
            [str(_program("postgres")), "-D", str(folder / "data"), *options],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=folder, **_as_whom(),
        )  # fmt: skip
    wait_for(lambda: _is_up(server, folder, port), what="PostgreSQL answers")
    return server


def _is_up(server: subprocess.Popen[bytes], folder: Path, port: int) -> bool:
    assert server.poll() is None, (folder / "log").read_text(encoding="utf-8", errors="replace")
    command = [str(_program("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command, check=False, timeout=10).returncode == 0


def _program(name: str) -> Path:
    assert PROGRAMS is not None
    return PROGRAMS / name


def _as_whom() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    user = _unprivileged()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
