"""The receiver, and the bare framework that it stands on, each in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.devops_webhooks.deliveries import SECRET

PATH = "/api/v1/devops/github"
START_SECONDS = 30.0
_ECHO = f"""
import asyncio, sys, socket, uvicorn
from fastapi import FastAPI, Request, Response

app = FastAPI()

@app.post("{PATH}")
async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/json")

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(128)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
"""


def write_configuration(folder: Path) -> Path:
    """A configuration with one source, and its secret."""
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    path = folder / "devops.yaml"
    path.write_text("version: sereno/v1\nsources:\n  github: {provider: github, secret_files: [secret]}\n")
    return path


@contextmanager
def echo() -> Iterator[int]:
    """FastAPI that answers each request with its body; its port."""
    with _running([sys.executable, "-c", _ECHO]) as (_, port):
        yield port


@contextmanager
def receiver(configuration: Path, store: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`sereno collect devops`; its process and its port."""
    run = "from sereno_cli.main import main; main()"
    command = [sys.executable, "-c", run, "collect", "devops", "--config", str(configuration), "--store", str(store)]
    with _running([*command, "--port"]) as started:
        yield started


@contextmanager
def _running(command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command, with a free port behind it, until the block is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    process = subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL)
    try:
        _wait(process, port)
        yield process, port
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
