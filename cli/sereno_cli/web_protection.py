"""`--web-config`: TLS and users around a server, taken up anew when the files change."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from sereno_backends.serving import BasicAuth, Passwords, TlsContext, TlsUnusable, WebConfig
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.parse import parse_as
from sereno_slo.source import read_source

from sereno_cli.specs import print_diagnostics

LOOK_SECONDS = 1.0
"""How long a changed file may go unnoticed while somebody connects or asks."""


class WebConfigInvalid(Exception):  # noqa: N818 - reads as what happened
    """The mistakes were printed."""


class Protection:
    """What a web configuration asks for; nothing without one.

    Args:
        path: of the web configuration.

    Raises:
        WebConfigInvalid: it has mistakes, or its files can't be used.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._looked_at = time.monotonic()
        self._config = WebConfig() if path is None else _read(path)
        self._state = self._file_state()
        self.tls: TlsContext | None = None
        if path is not None and self._config.tls_server_config is not None:
            try:
                self.tls = TlsContext(self._config.tls_server_config, path.parent, at_handshakes=self._look)
            except TlsUnusable as error:
                click.echo(f"sereno: {error} (named in {path})", err=True)
                raise WebConfigInvalid from error

    @property
    def has_users(self) -> bool:
        """Whether a password is asked for."""
        return bool(self._config.basic_auth_users)

    def around(self, app: Any, *, left_to_app: str | None = None) -> Any:
        """The application, protected; below the path `left_to_app` it asks for credentials of its own instead."""
        headers = [
            (name.lower().encode(), value.encode()) for name, value in self._config.http_server_config.headers.items()
        ]
        return BasicAuth(app if not headers else _with_headers(app, headers), self._users, left_to_app)

    def passwords(self) -> Passwords:
        """The same users, for a server that is no application."""
        return Passwords(self._users)

    def _users(self) -> Mapping[str, str]:
        self._look()
        return self._config.basic_auth_users

    def _look(self) -> None:
        """Take up what changed; what is wrong now is told, and what was right goes on."""
        now = time.monotonic()
        if self._path is None or now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        if (state := self._file_state()) != self._state:
            self._state = state
            try:
                self._config = _read(self._path)
            except WebConfigInvalid:
                click.echo(f"{self._path} stays as it was when it was right", err=True)
        if self.tls is not None:
            try:
                self.tls.renew()
            except TlsUnusable as error:
                click.echo(f"sereno: {error}; the certificate of before stays", err=True)

    def _file_state(self) -> tuple[int, ...] | None:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> WebConfig:
    source = read_source(path)
    if isinstance(source, Diagnostic):
        print_diagnostics([source])
        raise WebConfigInvalid
    parsed = parse_as(source, WebConfig)
    print_diagnostics(parsed.diagnostics)
    if parsed.document is None:
        raise WebConfigInvalid
    return parsed.document


def _with_headers(app: Any, headers: list[tuple[bytes, bytes]]) -> Any:
    """The application with these headers in each answer, in place of its own of the same names."""
    names = {name for name, _ in headers}

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                others = [one for one in message.get("headers", ()) if one[0].lower() not in names]
                message = {**message, "headers": [*others, *headers]}
            await send(message)

        await app(scope, receive, with_headers if scope["type"] == "http" else send)

    return answer
