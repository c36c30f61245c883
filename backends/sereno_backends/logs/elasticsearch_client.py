"""From an address and the environment to a client of Elasticsearch; and from its exceptions to the log store's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError

from sereno_backends.logs.elasticsearch_connection import Connection
from sereno_backends.logs.elasticsearch_settings import (
    API_KEY_FILE,
    CA_FILE,
    PASSWORD_FILE,
    USERNAME_FILE,
    without_secrets,
)
from sereno_backends.logs.model import LogStoreError, LogStoreRefused, LogStoreUnreachable

__all__ = ["API_KEY_FILE", "CA_FILE", "cause_of", "connect", "explained", "explanation", "without_secrets"]

BUSY = frozenset({408, 429, 502, 503, 504})
"""Statuses that say: not now. Everything else that is not a success says: not like this."""
MISSING_PRIVILEGE = 403
FORBIDDEN = frozenset({401, MISSING_PRIVILEGE})


def connect(url: str, environment: Mapping[str, str]) -> Elasticsearch:
    """A client for the servers at `url`, with the credentials of now; nothing is contacted yet.

    For what is soon over; what lives longer asks `Connection` for its client, which follows changes of the files.

    Raises:
        LogStoreRefused: an address or one of the files can't be used; the message shows no secret.
    """
    return Connection(url, environment).client()


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
    if is_block(error):
        return LogStoreUnreachable(
            f"{name} is blocked ({status} {_reason(error)}): it takes documents again when the block is lifted"
        )
    if status == MISSING_PRIVILEGE:
        return LogStoreRefused(
            f"{name} refused the credentials ({status} {_reason(error)}): they lack a privilege; "
            "docs/logs/elasticsearch.md has a role with all that are needed"
        )
    if status in FORBIDDEN:
        return LogStoreRefused(
            f"{name} refused the credentials ({status} {error.message}): give them as user:password in the address, "
            f"or in the files that {API_KEY_FILE}, or {USERNAME_FILE} and {PASSWORD_FILE}, name; a file that is "
            "mended is read without a restart"
        )
    return LogStoreRefused(f"{name} refused the request ({status} {_reason(error)})")


def is_block(error: ApiError) -> bool:
    """Whether the cluster or an index is read-only: 403, and yet nothing is wrong with the credentials."""
    return error.status_code in FORBIDDEN and "cluster_block_exception" in str(error.message)


def _reason(error: ApiError) -> str:
    """The server's own sentence, where it gave one."""
    body = error.body
    inner = body.get("error") if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        return str(error.message)
    shards = inner.get("failed_shards") or [{}]  # of a search: what one index can't do tells more than that it failed
    index, cause = shards[0].get("index"), (shards[0].get("reason") or {}).get("reason")
    told = f"{cause} (of {index})" if cause else inner.get("reason")
    return f"{error.message}: {told}" if told else str(error.message)
