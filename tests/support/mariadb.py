"""A real MariaDB for tests, which MySQL's clients speak to: one server for a worker, on a free port of loopback.

Without Debian's mariadb-server-core and mariadb-client-core on this machine the tests are skipped.
"""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.certificates import authority, issued
from support.ports import free_port
from support.prometheus import stop
from support.waiting import wait_for

USER, PASSWORD = "sereno", "a password of tests"
_SERVER = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
marked = [
    pytest.mark.skipif(
        _SERVER is None or shutil.which("my_print_defaults") is None, reason="needs MariaDB: make test-tools"
    ),
    pytest.mark.xdist_group("mariadb"),
]
"""What a test that asks for `mariadb` carries: `pytestmark = marked`."""


@dataclass(frozen=True, slots=True)
class MariadbServer:
    """A running server with one database, `shop`."""

    port: int
    ca_file: Path
    """Whoever trusts it trusts the server's certificate, for 127.0.0.1."""

    def connect(self) -> Any:
        """A connection of PyMySQL's that commits each statement; the test closes it."""
        import pymysql  # type: ignore[import-untyped] # noqa: PLC0415 - where the server isn't, it needn't be either

        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, database="shop", autocommit=True
        )

    def run(self, *statements: str) -> None:
        """Run statements."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariadbServer]:
    """The server; it is gone when the session ends."""
    folder, port = tmp_path_factory.mktemp("mariadb"), free_port()
    log = folder / "log"
    by = authority(folder)
    issued(folder, by)
    data = folder / "data"
    with log.open("ab") as output:
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=True, timeout=100,
        )  # fmt: skip
        start = folder / "start.sql"
        start.write_text(
            f"CREATE DATABASE shop;\nCREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'127.0.0.1';\n"
        )
        server = subprocess.Popen(_command(folder, port), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    running = MariadbServer(port, by.path)
    try:
        wait_for(lambda: _answers(server, running, log), what="MariaDB answers")
        yield running
    finally:
        stop(server)


def _command(folder: Path, port: int) -> list[str]:
    assert _SERVER is not None
    return [
        _SERVER,
        "--no-defaults",
        "--user=root",  # where the tests are root; else it says that it stays who it is
        f"--datadir={folder / 'data'}",
        f"--socket={folder / 'socket'}",
        f"--pid-file={folder / 'pid'}",
        f"--init-file={folder / 'start.sql'}",
        f"--port={port}",
        f"--ssl-cert={folder / 'server.crt'}",
        f"--ssl-key={folder / 'server.key'}",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=16M",
        "--innodb-log-file-size=8M",
    ]


def _answers(server: subprocess.Popen[bytes], running: MariadbServer, log: Path) -> bool:
    assert server.poll() is None, log.read_text(encoding="utf-8", errors="replace")
    import pymysql  # noqa: PLC0415 - as above

    try:
        running.run("SELECT 1")
    except pymysql.err.OperationalError:
        return False
    return True
