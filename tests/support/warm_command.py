"""`sereno` for shells of tests: the real command in a process of its own, forked from one that has everything loaded.

A shell that starts the command two hundred times would spend most of its time importing. The program that stands on
PATH is a client of a few lines; it hands its arguments, folder,
environment and streams over and ends as the command does.
"""

import array
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support.waiting import wait_for

CLIENT = """\
import array, json, os, signal, socket, sys
door = socket.socket(socket.AF_UNIX)
door.connect({door!r})
told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
door.sendmsg([len(told).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
door.sendall(told)
answers = door.makefile()
process = int(answers.readline())
for each in (signal.SIGTERM, signal.SIGINT):
    signal.signal(each, lambda number, _: os.kill(process, number))
sys.exit(int(answers.readline() or 70))
"""


@contextmanager
def warm_sereno(folder: Path) -> Iterator[Path]:
    """A folder to put on PATH; `sereno` in it is the command while the block runs."""
    programs, door = folder / "bin", folder / "door"
    programs.mkdir(parents=True)
    (folder / "client.py").write_text(CLIENT.format(door=str(door)), encoding="utf-8")
    program = programs / "sereno"
    start = shlex.join([sys.executable, "-I", "-S", str(folder / "client.py")])
    program.write_text(f'#!/bin/sh\nexec {start} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-m", "support.warm_command", str(door)], cwd=Path(__file__).parents[1]
    ) as server:
        try:
            wait_for(door.exists, what="a warm sereno")
            yield programs
        finally:
            server.terminate()


def serve(door: Path) -> None:
    """Load every command, then fork one process for each client, until terminated."""
    import importlib  # noqa: PLC0415 - what follows is for the process that serves only

    from sereno_cli.main import COMMANDS  # noqa: PLC0415

    for module, _ in COMMANDS.values():
        importlib.import_module(f"sereno_cli.commands.{module}")
    for module in LOADED_LATE:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the commands; the clients do
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(door))
    listener.listen(16)
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(client)
        client.close()


LOADED_LATE = (
    "sereno_backends.prometheus",
    "sereno_exporters.kinds",
    "sereno_portal",
    "sereno_postmortems.draft",
    "sereno_slo",
    "sereno_slo.backtest",
    "uvicorn",
)


def _answer(client: socket.socket) -> None:
    """In the child: become the command, and tell the client its exit code."""
    head, rights, _, _ = client.recvmsg(4, socket.CMSG_SPACE(12))
    streams = array.array("i", rights[0][2])
    told = b""
    while len(told) < int.from_bytes(head, "big"):
        told += client.recv(65_536)
    arguments, folder, environment = json.loads(told)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    client.sendall(f"{os.getpid()}\n".encode())
    code = 70
    try:
        code = _run(arguments)
    finally:
        for output in (sys.stdout, sys.stderr):
            with suppress(OSError):
                output.flush()
        client.sendall(f"{code}\n".encode())
        os._exit(code)


def _run(arguments: list[str]) -> int:
    import traceback  # noqa: PLC0415

    from sereno_cli.main import main  # noqa: PLC0415

    sys.argv = ["sereno", *arguments]
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - as the interpreter itself would tell it
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
