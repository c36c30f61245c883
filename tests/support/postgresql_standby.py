"""A standby of a test's PostgreSQL: a copy that replays what the primary writes, by a slot of its own."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from support.ports import free_port
from support.postgresql import PROGRAMS, PostgresqlServer
from support.prometheus import stop
from support.waiting import wait_for


@contextmanager
def running_standby(primary: PostgresqlServer, *, slot: str) -> Iterator[PostgresqlServer]:
    """A standby that is connected; its slot is made, and stays when it is gone."""
    assert PROGRAMS is not None
    with tempfile.TemporaryDirectory(prefix="sereno-postgresql-", ignore_cleanup_errors=True) as name:
        folder, owner = Path(name), primary.folder.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        copying = [PROGRAMS / "pg_basebackup", "-D", folder / "data", "-d", primary.url(), "-R", "-C", "-S", slot]
        whom = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        copied = subprocess.run(
            [*copying, "-c", "fast", "--no-sync"], capture_output=True, check=False, timeout=60, cwd=folder, **whom
        )
        assert copied.returncode == 0, copied.stderr.decode(errors="replace")
        port = free_port()
        settings = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off"}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        # As large as the primary's, which a standby insists on.
        options += ["-c", "max_connections=40"]
        with (folder / "log").open("ab") as output:
            process = subprocess.Popen(
                [PROGRAMS / "postgres", "-D", folder / "data", *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                **whom,
            )
        standby = replace(primary, folder=folder, port=port, process=process)
        try:
            wait_for(lambda: _replays(standby), what=f"the standby replays ({folder / 'log'})")
            yield standby
        finally:
            stop(process)


def _replays(standby: PostgresqlServer) -> bool:
    assert standby.process.poll() is None, (standby.folder / "log").read_text(encoding="utf-8", errors="replace")
    assert PROGRAMS is not None
    question = "SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'"
    command = [PROGRAMS / "psql", "-qXtA", "-c", question, standby.url()]
    done = subprocess.run(command, capture_output=True, check=False, timeout=10)
    return done.returncode == 0 and done.stdout.strip() == b"1"
