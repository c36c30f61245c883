"""Every server that Sereno has, in processes of their own as users start them, with TLS and users in front of them."""

import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import httpx

from support.certificates import Certificate, authority, issued
from support.command_line import SERENO
from support.devops import write_configuration
from support.ports import free_port
from support.prometheus import stop
from support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
USER, PASSWORD = "ada", "the password of the tests' user"
PAGERDUTY_SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - shared with nobody
WITH_TLS = ("incidents", "logs")
"""Their web configuration has a certificate, too: also the metrics and OTLP of `sereno collect logs`."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One port, ready."""

    name: str
    url: str
    log: Path
    authority: Path | None
    """Who signed its certificate; None: there is no TLS."""

    def client(self, *, logged_in: bool = False) -> httpx.Client:
        """A client that trusts it."""
        verify = ssl.create_default_context(cafile=self.authority) if self.authority else True
        login = (USER, PASSWORD) if logged_in else None
        return httpx.Client(base_url=self.url, verify=verify, auth=login, trust_env=False, timeout=20)

    @property
    def address(self) -> tuple[str, int]:
        """To connect to."""
        parts = httpx.URL(self.url)
        return parts.host, parts.port or 0

    def connected(self) -> socket.socket:
        """A connection, after the handshake where there is TLS."""
        plain = socket.create_connection(self.address, 20)
        if self.authority is None:
            return plain
        return ssl.create_default_context(cafile=self.authority).wrap_socket(plain, server_hostname=self.address[0])


Listeners = Mapping[str, Listener]


@contextmanager
def all_listeners(folder: Path) -> Iterator[Listeners]:
    """All of them, by name; gone when the block is left, and none of them told a traceback."""
    made = authority(folder)
    issued(folder, made, "server")
    plain, with_tls = _web_configurations(folder)
    (folder / "secret").write_text(PAGERDUTY_SECRET)
    (folder / "a.log").touch()
    (folder / "exporters.yaml").write_text(EXPORTERS)
    devops = write_configuration(folder)
    commands: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "exporter": (("exporter", "all", "--port"), ("--config", "exporters.yaml")),
        "devops": (("collect", "devops", "--port"), ("--config", str(devops), "--store", "devops.sqlite")),
        "incidents": (
            ("incidents", "serve", "--port"),
            ("--database", "incidents.sqlite", "--pagerduty-secret-file", "secret"),
        ),
        "portal": (("portal", "--port"), ("--prometheus", "http://127.0.0.1:1", "--root", str(ROOT))),
        "logs": (("collect", "logs", "--metrics-port"), ("--file", "a.log")),
    }
    with ExitStack() as stack:
        found: dict[str, Listener] = {}
        for name, (command, options) in commands.items():
            port, otlp = free_port(), free_port()
            log = folder / f"{name}.output"
            signed_by, web = (made, with_tls) if name in WITH_TLS else (None, plain)
            words = [*command, str(port), *options, "--web-config", str(web)]
            if name == "logs":
                words += ["--otlp", f"127.0.0.1:{otlp}"]
                found["otlp"] = _listener("otlp", otlp, log, signed_by)
            stack.enter_context(_process(words, folder, log))
            found[name] = _listener(name, port, log, signed_by)
        for each in found.values():
            wait_for(lambda one=each: _answers(one), what=f"{each.name} (log: {each.log})")  # type: ignore[misc]
        yield found
    for each in found.values():
        assert "Traceback" not in each.log.read_text(errors="replace"), each.name


EXPORTERS = """\
version: sereno/v1
exporters:
  quotas:
    targets: {plan: {quotas: [{name: a, limit: 5, read: {http: {url: "http://127.0.0.1:1", field: a}}}]}}
"""


def _web_configurations(folder: Path) -> tuple[Path, Path]:
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    users = f"basic_auth_users: {{{USER}: {hashed}}}\n"
    plain, with_tls = folder / "plain.yml", folder / "tls.yml"
    plain.write_text(users)
    with_tls.write_text(users + "tls_server_config: {cert_file: server.chain, key_file: server.key}\n")
    return plain, with_tls


def _listener(name: str, port: int, log: Path, signed_by: Certificate | None) -> Listener:
    scheme = "http" if signed_by is None else "https"
    return Listener(name, f"{scheme}://127.0.0.1:{port}", log, None if signed_by is None else signed_by.path)


@contextmanager
def _process(words: list[str], folder: Path, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*SERENO, *words], cwd=folder, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    try:
        yield
    finally:
        stop(process)


def _answers(listener: Listener) -> bool:
    try:
        with listener.client() as client:
            return client.get("/health").status_code in (200, 401)
    except httpx.TransportError:
        return False
