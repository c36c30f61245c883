"""`sereno collect logs` as a process of its own, in the current folder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sereno_backends.logs import LogStoreError, SqliteLogStore

from support.collecting import ALWAYS

SERENO = [sys.executable, "-c", "from sereno_cli.main import main; main()"]


def collect(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*SERENO, "collect", "logs", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@contextmanager
def collecting(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """The command at work: its first line has been printed when the block begins."""
    command = [*SERENO, "collect", "logs", "--metrics-port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


def first_line(process: subprocess.Popen[str]) -> str:
    """What a collector says when it is ready."""
    assert process.stdout is not None
    return process.stdout.readline()


def messages(path: str = "var/logs.sqlite") -> list[str]:
    """What is in the store; nothing while there is none, or while it is being made."""
    if not Path(path).exists():
        return []
    with closing(SqliteLogStore(path)) as store, suppress(LogStoreError):
        return [record.message for record in store.search(ALWAYS)]
    return []


def is_stored(message: str) -> bool:
    """Whether the store has a record with this message."""
    return message in messages()
