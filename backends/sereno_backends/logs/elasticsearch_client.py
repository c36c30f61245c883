"""From an address and the environment to a client of Elasticsearch; and from its exceptions to the log store's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError

from sereno_backends.logs.model import LogStoreError, LogStoreRefused, LogStoreUnreachable

API_KEY_FILE = "SERENO_ELASTICSEARCH_API_KEY_FILE"
CA_FILE = "SERENO_ELASTICSEARCH_CA_FILE"
DEFAULT_PORTS = {"http": 9200, "https": 443}

BUSY = frozenset({408, 429, 502, 503, 504})
"""Statuses that say: not now. Everything else that is not a success says: not like this."""
FORBIDDEN = frozenset({401, 403})


def connect(url: str, environment: Mapping[str, str]) -> Elasticsearch:
    """A client for the server at `url`; nothing is contacted yet.

    Credentials are the address's `user:password@`, or an API key in the file that SERENO_ELASTICSEARCH_API_KEY_FILE
    names; SERENO_ELASTICSEARCH_CA_FILE names the certificate of a private authority.

    Raises:
        LogStoreRefused: the address or one of the files can't be used; the message shows no secret.
    """
    address = _split(url)
    options: dict[str, Any] = {}
    if address.username:
        options["basic_auth"] = (unquote(address.username), unquote(address.password or ""))
    elif key_file := environment.get(API_KEY_FILE):
        options["api_key"] = _read_key(Path(key_file))
    if ca_file := environment.get(CA_FILE):
        if not Path(ca_file).is_file():
            raise LogStoreRefused(f"{CA_FILE} names {ca_file}, which is no file")
        options["ca_certs"] = ca_file
    return Elasticsearch(without_secrets(url), **options)


def without_secrets(url: str) -> str:
    """The address with its port, without user, password, query and fragment."""
    address = _split(url)
    host = f"[{address.hostname}]" if ":" in (address.hostname or "") else address.hostname
    port = address.port or DEFAULT_PORTS[address.scheme]
    return f"{address.scheme}://{host}:{port}{address.path.rstrip('/')}"


def _split(url: str) -> SplitResult:
    try:
        address = urlsplit(url.strip())
        usable = address.scheme in DEFAULT_PORTS and bool(address.hostname) and (address.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:  # the address itself stays out of the message: it may hold a password
        raise LogStoreRefused("the address of Elasticsearch can't be used: write it as http(s)://HOST:PORT")
    return address


def _read_key(path: Path) -> str:
    try:
        key = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no API key"
        raise LogStoreRefused(f"{API_KEY_FILE} names {path}, which can't be read: {reason}") from None
    if not key:
        raise LogStoreRefused(f"{API_KEY_FILE} names {path}, which is empty: put the encoded API key into it")
    return key


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn the client's exceptions into the log store's own, which name the store and the cause."""
    try:
        yield
    except UnsupportedProductError as error:
        raise LogStoreRefused(f"{name}: what answers there is no Elasticsearch") from error
    except ApiError as error:
        raise explanation(name, error) from error
    except TransportError as error:
        raise LogStoreUnreachable(f"{name} can't be reached: {cause_of(error)}") from error


def cause_of(error: TransportError) -> str:
    """The innermost thing that went wrong on the way to the server."""
    return next((str(inner) for inner in error.errors), str(error.message))


def explanation(name: str, error: ApiError) -> LogStoreError:
    """What an answer to a whole request means: not now, not with these credentials, or not like this."""
    status = error.status_code
    if status in BUSY:
        return LogStoreUnreachable(f"{name} is not able to answer now ({status} {error.message})")
    if status in FORBIDDEN:
        return LogStoreRefused(
            f"{name} refused the credentials ({status} {error.message}): give them as user:password in the address "
            f"or as an API key in the file that {API_KEY_FILE} names"
        )
    return LogStoreRefused(f"{name} refused the request ({status} {_reason(error)})")


def _reason(error: ApiError) -> str:
    """The server's own sentence, where it gave one."""
    body = error.body
    inner = body.get("error") if isinstance(body, dict) else None
    reason = inner.get("reason") if isinstance(inner, dict) else None
    return f"{error.message}: {reason}" if reason else str(error.message)
