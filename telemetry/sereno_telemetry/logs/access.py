"""Access log records of uvicorn and gunicorn as ECS fields."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, unquote_plus

from sereno_telemetry.logs.masking import Masker
from sereno_telemetry.logs.values import Values

UVICORN: Final = "uvicorn.access"
GUNICORN: Final = "gunicorn.access"
ACCESS_LOGGERS: Final = (UVICORN, GUNICORN)
SERVER_LOGGERS: Final = ("uvicorn", "uvicorn.error", "uvicorn.asgi", UVICORN, "gunicorn.error", GUNICORN)

_MOST_PATH_CHARACTERS = 2_048
_MOST_QUERY_CHARACTERS = 2_048
_UVICORN_ARGUMENTS = 5
_NANOSECONDS_OF_A_MICROSECOND = 1_000


@dataclass(frozen=True, slots=True)
class Access:
    """One answered request, as the server tells it."""

    method: str
    path: str
    query: str
    status_code: int
    version: str
    client: str
    """Address with or without port, or empty."""
    more: Mapping[str, object]
    """ECS fields that only some servers know."""


def access_of(record: logging.LogRecord) -> Access | None:
    """The request of an access record; None for any other record."""
    arguments = record.args
    if record.name == UVICORN:
        if not isinstance(arguments, tuple) or len(arguments) != _UVICORN_ARGUMENTS:
            return None
        client, method, target, version, status_code = arguments
        if not isinstance(status_code, int) or not isinstance(target, str):
            return None
        path, _, query = target.partition("?")
        return Access(str(method), path, query, status_code, str(version), str(client or ""), {})
    if record.name == GUNICORN and isinstance(arguments, Mapping):
        return _of_gunicorn(arguments)
    return None


def _of_gunicorn(atoms: Mapping[str, object]) -> Access | None:
    """From the atoms of gunicorn's access log format (its documentation, setting `access_log_format`)."""

    def atom(name: str) -> str:
        value = str(atoms.get(name) or "")
        return "" if value == "-" else value

    if not atom("s")[:3].isdecimal() or not atom("m"):
        return None
    more: dict[str, object] = {"user_agent.original": atom("a"), "http.request.referrer": atom("f")}
    if atom("B").isdecimal():
        more["http.response.body.bytes"] = int(atom("B"))
    if atom("D").isdecimal():
        more["event.duration"] = int(atom("D")) * _NANOSECONDS_OF_A_MICROSECOND
    version = atom("H").rpartition("/")[2]
    return Access(atom("m"), atom("U"), atom("q"), int(atom("s")[:3]), version, atom("h"), more)


def access_message(access: Access, values: Values) -> str:
    """Short, without the query: `GET /orders/17 200`."""
    return f"{values.text(access.method, 32)} {_path(access, values)} {access.status_code}"


def access_fields(access: Access, values: Values) -> dict[str, object]:
    """The ECS fields of a request; query and path without secrets, also percent-encoded ones."""
    fields: dict[str, object] = {
        "event.category": ["web"],
        "http.request.method": values.text(access.method, 32),
        "http.response.status_code": access.status_code,
        "http.version": values.text(access.version, 16),
        "url.path": _path(access, values),
    }
    if access.query:
        fields["url.query"] = masked_query(access.query, values)
    for key, value in access.more.items():
        if value != "":
            fields[key] = values.plain(value)
    return fields | _client(access.client, values.masker)


def masked_query(query: str, values: Values) -> str:
    """A query string without secrets: values of secret keys, and values that are secrets however they are encoded."""
    if len(query) > _MOST_QUERY_CHARACTERS:  # whole pairs only: half a secret might not be known as one
        query = f"{query[:_MOST_QUERY_CHARACTERS].rpartition('&')[0]}&…"
    pairs = []
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        name, secret = values.key(unquote_plus(key) if "%" in key or "+" in key else key)
        if secret and value:
            pairs.append(f"{name}={values.masker.secret()}")
            continue
        decoded = unquote_plus(pair) if "%" in pair or "+" in pair else pair
        masked = values.text(decoded)
        pairs.append(pair if masked == decoded else masked)
    return "&".join(pairs)


def _path(access: Access, values: Values) -> str:
    decoded = unquote(access.path) if "%" in access.path else access.path
    masked = values.text(decoded, _MOST_PATH_CHARACTERS)
    return access.path if masked == decoded else masked


def _client(client: str, masker: Masker) -> dict[str, object]:
    if not client:
        return {}
    address, _, port = client.rpartition(":")
    if not _is_address(address) or not port.isdecimal():
        address, port = client, ""
    if not _is_address(address) or masker.text(address) != address:  # a mark is no address: Elasticsearch refuses it
        return {}
    return {"client.ip": address, "client.port": int(port)} if port else {"client.ip": address}


@lru_cache(maxsize=1_024)
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
