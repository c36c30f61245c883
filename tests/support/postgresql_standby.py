"""A standby of a test's PostgreSQL: a copy that replays what the primary writes, by a slot of its own."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.ports import free_port
from support.postgresql import PROGRAMS, PostgresqlServer
from support.prometheus import stop
from support.waiting import wait_for


@contextmanager
def running_standby(primary: PostgresqlServer, *, slot: str) -> Iterator[PostgresqlServer]:
    """A standby that is connected; its slot is made, and stays when it is gone."""
    with tempfile.TemporaryDirectory(prefix="sereno-postgresql-", ignore_cleanup_errors=True) as name:
        folder, owner = Path(name), primary.folder.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        # PostgreSQL's programs refuse to run as root: the standby is the same user's as the primary.
        whom = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        _copy(primary, folder / "data", slot, whom)
        standby = _started(primary, folder, whom)
        try:
            wait_for(lambda: _replays(standby), what=f"the standby replays ({folder / 'log'})")
            yield standby
        finally:
            stop(standby.process)


def _copy(primary: PostgresqlServer, data: Path, slot: str, whom: Mapping[str, Any]) -> None:
    command = [_program("pg_basebackup"), "-D", str(data), "-d", primary.url(), "-R", "-C", "-S", slot]
    options = ["-c", "fast", "--no-sync"]
    done = subprocess.run([*command, *options], capture_output=True, check=False, timeout=60, cwd=data.parent, **whom)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def _started(primary: PostgresqlServer, folder: Path, whom: Mapping[str, Any]) -> PostgresqlServer:
    port = free_port()
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": folder,
        "fsync": "off",
        "max_connections": 40,  # a standby insists on as many as its primary has
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as output:
        process = subprocess.Popen(
            [_program("postgres"), "-D", str(folder / "data"), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            **whom,
        )
    return replace(primary, folder=folder, port=port, process=process)


def _replays(standby: PostgresqlServer) -> bool:
    assert standby.process.poll() is None, (standby.folder / "log").read_text(encoding="utf-8", errors="replace")
    question = "SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'"
    command = [_program("psql"), "-qXtA", "-c", question, standby.url()]
    done = subprocess.run(command, capture_output=True, check=False, timeout=10)
    return done.returncode == 0 and done.stdout.strip() == b"1"


def _program(name: str) -> str:
    assert PROGRAMS is not None
    return str(PROGRAMS / name)
