"""A real nginx for tests, on a free port of loopback: its status at /stub_status, and TLS where asked for."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.certificates import Certificate
from support.ports import free_port
from support.prometheus import stop
from support.waiting import wait_for

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")

_CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port}{ssl};
        {certificate}
        location = /stub_status {{ stub_status; }}
        location / {{ return 200 "well\\n"; }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def running_nginx(folder: Path, certificate: Certificate | None = None) -> Iterator[Nginx]:
    """An nginx with its files in `folder`; with a certificate it speaks TLS only."""
    assert PROGRAM is not None
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    shown = f"ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};" if certificate else ""
    text = _CONFIGURATION.format(folder=folder, port=port, ssl=" ssl" if certificate else "", certificate=shown)
    configuration, log = folder / "nginx.conf", folder / "output"
    configuration.write_text(text, encoding="utf-8")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [PROGRAM, "-c", str(configuration), "-p", str(folder), "-e", str(folder / "error.log")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: _listens(process, port, log), what=f"nginx listens ({log})")
        yield Nginx(f"{'https' if certificate else 'http'}://127.0.0.1:{port}", process)
    finally:
        stop(process)


def _listens(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0
