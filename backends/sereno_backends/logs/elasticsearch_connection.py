"""A client of Elasticsearch that stays right while its files change: credentials and authorities may be rotated."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, assert_never

import orjson
from elasticsearch import Elasticsearch
from elasticsearch.serializer import JsonSerializer, NdjsonSerializer

from sereno_backends.logs.elasticsearch_node import Node, PinnedContext
from sereno_backends.logs.elasticsearch_settings import (
    ApiKey,
    BasicAuth,
    Credentials,
    NoCredentials,
    read_authority,
    read_credentials,
    read_settings,
)
from sereno_backends.logs.model import LogStoreRefused

REQUEST_SECONDS = 15.0
"""How long an answer is waited for."""

_Signature = tuple[tuple[int, ...] | None, ...]


class _ReadyLines(NdjsonSerializer):
    """Bytes go out as they are. The client's own serializer puts a line end behind gzip, which strict gateways mind."""

    def dumps(self, data: Any) -> bytes:
        return data if isinstance(data, bytes) else super().dumps(data)


class Connection:
    """Gives the client to ask with; thread-safe. Nothing is contacted before it is used.

    Requests go to the addresses in turn. One that can't be reached is left out for a second, then for longer and
    longer up to half a minute, and a request that was surely not sent goes to the next one at once.

    Args:
        url: one address, or several with commas between them.
        environment: credentials, authorities and compression (`elasticsearch_settings`).
        request_seconds: how long an answer is waited for.

    Raises:
        LogStoreRefused: something can't be used; the message shows no secret.
    """

    def __init__(
        self, url: str, environment: Mapping[str, str] = os.environ, *, request_seconds: float = REQUEST_SECONDS
    ) -> None:
        self._settings = read_settings(url, environment)
        self._request_seconds = request_seconds
        self._renewing = Lock()
        self._seen = _signature(self._settings.files)
        self._credentials = read_credentials(self._settings)
        self._authority = read_authority(self._settings)
        self._bare = self._new_client()
        self._client = self._authenticated()

    @property
    def place(self) -> str:
        """The addresses, without secrets."""
        return self._settings.place

    @property
    def compress(self) -> bool:
        """Whether requests are to be sent compressed."""
        return self._settings.compress

    def client(self) -> Elasticsearch:
        """The client with the credentials of now: files that changed since the last call are read first."""
        if self._settings.files and _signature(self._settings.files) != self._seen:
            self.renew()
        return self._client

    def renew(self) -> bool:
        """Read the files anew; whether something differs. One that can't be used now is read again the next time."""
        with self._renewing:
            signature = _signature(self._settings.files)
            try:
                credentials = read_credentials(self._settings)
                authority = read_authority(self._settings)
            except LogStoreRefused:
                return False  # half-written: the old ones may still be good, and if not, the server says so
            self._seen = signature
            if (credentials, authority) == (self._credentials, self._authority):
                return False
            if authority != self._authority:  # the old client is left to requests that are on their way
                self._authority = authority
                self._bare = self._new_client()
            self._credentials = credentials
            self._client = self._authenticated()
            return True

    def close(self) -> None:
        """Close the connections; a second call does nothing."""
        self._bare.close()

    def _new_client(self) -> Elasticsearch:
        settings = self._settings
        trust: dict[str, Any] = {}
        if self._authority is not None:
            trust["ssl_context"] = ssl.create_default_context(cadata=self._authority)
        elif settings.fingerprint is not None:
            trust["ssl_context"] = PinnedContext(settings.fingerprint)
        return Elasticsearch(
            list(settings.addresses),
            node_class=Node,
            request_timeout=self._request_seconds,
            # One try at each server; beyond that the caller decides: more would hide a server that is down.
            max_retries=len(settings.addresses) - 1,
            retry_on_timeout=False,
            serializers={"application/json": _Json(), _ReadyLines.mimetype: _ReadyLines()},
            **trust,
        )

    def _authenticated(self) -> Elasticsearch:
        return self._bare.options(**_options(self._credentials))


class _Json(JsonSerializer):
    """Reads answers in half the time; a lone surrogate, which orjson refuses, as the client's own reader does."""

    def json_loads(self, data: bytes) -> Any:
        """The value of an answer."""
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            return super().json_loads(data)


def _options(credentials: Credentials) -> dict[str, Any]:
    match credentials:
        case BasicAuth(username, password):
            return {"basic_auth": (username, password)}
        case ApiKey(encoded):
            return {"api_key": encoded}
        case NoCredentials():
            return {}
        case _:
            assert_never(credentials)


def _signature(files: tuple[Path, ...]) -> _Signature:
    """What changes whenever a file is written or replaced, also through a link as Kubernetes does it."""
    return tuple(_signature_of(path) for path in files)


def _signature_of(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
