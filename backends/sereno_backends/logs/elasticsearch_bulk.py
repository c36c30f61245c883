"""Bulk requests: ready lines go out, the answer of every document comes back. One implementation for all writers."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from elastic_transport import ConnectionTimeout, SerializationError, TransportError
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError

from sereno_backends.logs.elasticsearch_client import FORBIDDEN, cause_of, explanation, is_block
from sereno_backends.logs.elasticsearch_node import NotSent
from sereno_backends.logs.trouble import Trouble, WaitReason

LARGEST_REQUEST = 2_000
"""Documents in a request; more gain nothing and make a repetition dear."""
COMPRESSION_LEVEL = 1  # level 9, the client's own, costs five times the CPU and saves a tenth of the bytes

_PATH = (
    # Without a template a plain index would be made in the stream's place; `require_data_stream` refuses that.
    "/_bulk?require_data_stream=true&timeout=5s&filter_path=errors,items.create.status,"
    "items.create.error.type,items.create.error.reason,items.create.error.caused_by.reason"
)
_HEADERS = {"accept": "application/json", "content-type": "application/x-ndjson"}

_CREATED, _CONFLICT, _BAD, _TOO_LARGE, _TOO_MANY = 201, 409, 400, 413, 429
_SURELY_NOT_STORED = frozenset({_BAD, 401, 403, _TOO_LARGE, _TOO_MANY})
# Of a whole request that was answered 400 for one of its lines; anything else is a matter of server or proxy.
_FAULTS_OF_LINES = frozenset({"action_request_validation_exception", "illegal_argument_exception", "parse_exception"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that is refused for good."""

    position: int
    """Its place in the request, from 0."""
    reason: str


@dataclass(frozen=True, slots=True)
class BulkAnswer:
    """What became of each document: those that are named nowhere are stored now."""

    documents: int
    duplicates: tuple[int, ...] = ()
    """Places of documents that the stream's newest index had already."""
    refusals: tuple[Refusal, ...] = ()
    waiting: tuple[int, ...] = ()
    """Places of documents that are to be sent again."""
    trouble: Trouble | None = None
    """Why those wait; None exactly where none does."""
    requests: int = 1
    """More than one: the server or the caller wanted smaller ones."""
    was_too_large: bool = False
    """The server refused a request for its size (413), or had no answer in time."""

    @property
    def was_too_much(self) -> bool:
        """Whether smaller requests are worth a try: too large, too slow, or the server was busy (429, 503)."""
        return self.was_too_large or (self.trouble is not None and self.trouble.reason is WaitReason.BUSY)

    @property
    def indexed(self) -> int:
        """How many are stored by this request."""
        return self.documents - len(self.duplicates) - len(self.refusals) - len(self.waiting)


def split_documents(body: bytes) -> list[bytes]:
    """The documents of a bulk body, each with its action line and both line ends."""
    lines = body.split(b"\n")
    return [b"%b\n%b\n" % pair for pair in zip(lines[0:-1:2], lines[1::2], strict=True)]


class BulkWriter:
    """Sends bulk requests and reads every item of the answers; thread-safe.

    Args:
        client: gives the client to send with; asked for each request, since its credentials may have been renewed.
        name: what to call the server in messages.
        renew: reads the credentials anew and tells whether they differ; called when the server refuses them.
        compress: send gzip.
    """

    def __init__(
        self,
        client: Callable[[], Elasticsearch],
        name: str,
        *,
        renew: Callable[[], bool] = lambda: False,
        compress: bool = False,
    ) -> None:
        self._client = client
        self._name = name
        self._renew = renew
        self._compress = compress

    def create(
        self, body: bytes, documents: int, *, most: int = LARGEST_REQUEST, compressed: bytes = b""
    ) -> BulkAnswer:
        """Create the documents; what the server finds too large is sent in halves, down to the single document.

        Args:
            body: lines in the bulk format, `create` actions only.
            documents: how many these are.
            most: how many may go in one request.
            compressed: the body as gzip, where somebody has it already.
        """
        if documents > most:
            return self._in_parts(split_documents(body), most)
        try:
            return self._read(self._send(body, compressed), documents)
        except UnsupportedProductError:
            return _all_waiting(documents, self._nonsense("an answer that no Elasticsearch gives"))
        except ApiError as error:
            return self._refused(error, body, documents)
        except SerializationError:
            return _all_waiting(documents, self._nonsense("no JSON"))
        except TransportError as error:
            message = f"{self._name} can't be reached: {cause_of(error)}"
            trouble = Trouble(WaitReason.UNREACHABLE, message, may_be_stored=not isinstance(error, NotSent))
            return replace(_all_waiting(documents, trouble), was_too_large=isinstance(error, ConnectionTimeout))

    def _refused(self, error: ApiError, body: bytes, documents: int) -> BulkAnswer:
        """What to make of a no to the whole request: halves of it, a document that is to blame, or waiting."""
        too_large = error.status_code == _TOO_LARGE
        if not too_large and not _is_fault_of_a_line(error):
            return _all_waiting(documents, self._trouble_of(error))
        if documents > 1:
            parts = self._in_parts(split_documents(body), (documents + 1) // 2)
            return replace(parts, was_too_large=parts.was_too_large or too_large)
        reason = f"too large for the server ({len(body)} bytes)" if too_large else _sentence(_error_of(error))
        return BulkAnswer(1, refusals=(Refusal(0, reason),))

    def _send(self, body: bytes, compressed: bytes) -> Any:
        headers = _HEADERS
        if self._compress and not compressed:
            compressed = gzip.compress(body, COMPRESSION_LEVEL)
        if compressed:
            body, headers = compressed, {**_HEADERS, "content-encoding": "gzip"}
        client = self._client()
        try:
            return _posted(client, headers, body)
        except ApiError as error:
            renewed = error.status_code in FORBIDDEN and (self._renew() or self._client() is not client)
            if not renewed:
                raise
        return _posted(self._client(), headers, body)

    def _in_parts(self, lines: Sequence[bytes], size: int) -> BulkAnswer:
        answers: list[BulkAnswer] = []
        for start in range(0, len(lines), size):
            part = lines[start : start + size]
            answers.append(self.create(b"".join(part), len(part), most=size))
            if len(answers[-1].waiting) == len(part):  # the rest would fare the same, and take as long
                rest = len(lines) - start - len(part)
                answers.append(BulkAnswer(rest, waiting=tuple(range(rest)), trouble=answers[-1].trouble, requests=0))
                break
        return _joined(answers)

    def _read(self, answer: Any, documents: int) -> BulkAnswer:
        try:
            statuses = [item["create"]["status"] for item in answer["items"]]
        except (KeyError, TypeError):
            return _all_waiting(documents, self._nonsense("no answer to a bulk request"))
        if len(statuses) != documents:
            told = f"{len(statuses)} answers to {documents} documents"
            return _all_waiting(documents, self._nonsense(told))
        if statuses.count(_CREATED) == documents:
            return BulkAnswer(documents)
        duplicates: list[int] = []
        refusals: list[Refusal] = []
        waiting: list[int] = []
        trouble: Trouble | None = None
        in_doubt = False
        for position, status in enumerate(statuses):
            if status in (200, _CREATED):
                continue
            if status == _CONFLICT:
                duplicates.append(position)
                continue
            error = _as_error(answer["items"][position]["create"].get("error"))
            if (reason := wait_reason(status, error)) is None:
                refusals.append(Refusal(position, _sentence(error)))
                continue
            waiting.append(position)
            in_doubt = in_doubt or _may_be_stored(reason, status, error)
            trouble = trouble or self._item_trouble(reason, status, error)
        if trouble is not None:
            trouble = replace(trouble, may_be_stored=in_doubt)
        return BulkAnswer(documents, tuple(duplicates), tuple(refusals), tuple(waiting), trouble)

    def _item_trouble(self, reason: WaitReason, status: int, error: Mapping[str, Any]) -> Trouble:
        verb = "lets no documents be created" if reason is WaitReason.FORBIDDEN else "can't take documents now"
        return Trouble(reason, f"{self._name} {verb} ({status} {_sentence(error)})")

    def _trouble_of(self, error: ApiError) -> Trouble:
        status = error.status_code
        if status in FORBIDDEN:
            reason = WaitReason.BLOCKED if is_block(error) else WaitReason.FORBIDDEN
        else:
            reason = WaitReason.NONSENSE if status in (_BAD, 404, 405, 406) else WaitReason.BUSY
        return Trouble(reason, str(explanation(self._name, error)), may_be_stored=status not in _SURELY_NOT_STORED)

    def _nonsense(self, what: str) -> Trouble:
        message = f"{self._name} gave {what}: is a proxy in between, or another server at this address?"
        return Trouble(WaitReason.NONSENSE, message, may_be_stored=True)


def wait_reason(status: int, error: Mapping[str, Any]) -> WaitReason | None:
    """Why a document that was not created is to be sent again; None where the fault is its own."""
    kind, reason = error.get("type"), str(error.get("reason"))
    if kind in {"cluster_block_exception", "index_closed_exception"} or "maximum normal shards open" in reason:
        return WaitReason.BLOCKED  # 400, 403 or 429: somebody lifts it again
    if kind == "index_not_found_exception" or reason.startswith("pipeline with id ["):
        return WaitReason.UNPREPARED
    if status in FORBIDDEN:
        return WaitReason.FORBIDDEN
    if not isinstance(status, int) or status in (408, _TOO_MANY) or status >= 500:  # noqa: PLR2004 - the server's own
        return WaitReason.BUSY
    return None


def _may_be_stored(reason: WaitReason, status: int, error: Mapping[str, Any]) -> bool:
    """Whether a document may be stored that was answered "not now": a primary can go away in the middle of its work.

    One that was not there to begin with has stored nothing, and to look for documents there would be in vain.
    """
    is_away = error.get("type") == "unavailable_shards_exception"
    return reason is WaitReason.BUSY and status not in _SURELY_NOT_STORED and not is_away


def _posted(client: Elasticsearch, headers: Mapping[str, str], body: bytes) -> Any:
    """The answer of the first server that a connection comes about with."""
    once = client.options(max_retries=0)  # the transport would repeat what may have been stored, too
    for _ in range(len(client.transport.node_pool.all()) - 1):
        with suppress(NotSent):
            return once.perform_request("POST", _PATH, headers=headers, body=body).body
    return once.perform_request("POST", _PATH, headers=headers, body=body).body


def _all_waiting(documents: int, trouble: Trouble) -> BulkAnswer:
    return BulkAnswer(documents, waiting=tuple(range(documents)), trouble=trouble)


def _joined(answers: Sequence[BulkAnswer]) -> BulkAnswer:
    duplicates: list[int] = []
    refusals: list[Refusal] = []
    waiting: list[int] = []
    troubles = [answer.trouble for answer in answers if answer.trouble is not None]
    may_be_stored = any(trouble.may_be_stored for trouble in troubles)
    start = 0
    for answer in answers:
        duplicates += [start + position for position in answer.duplicates]
        refusals += [Refusal(start + refusal.position, refusal.reason) for refusal in answer.refusals]
        waiting += [start + position for position in answer.waiting]
        start += answer.documents
    return BulkAnswer(
        start,
        tuple(duplicates),
        tuple(refusals),
        tuple(waiting),
        replace(troubles[0], may_be_stored=may_be_stored) if troubles else None,
        sum(answer.requests for answer in answers),
        any(answer.was_too_large for answer in answers),
    )


def _error_of(error: ApiError) -> Mapping[str, Any]:
    found = error.body.get("error") if isinstance(error.body, dict) else None
    return found if isinstance(found, dict) else {"type": str(error.message)}


def _as_error(told: Any) -> Mapping[str, Any]:
    """An item's error, which of another server than Elasticsearch may be anything."""
    return told if isinstance(told, Mapping) else {"reason": told}


def _is_fault_of_a_line(error: ApiError) -> bool:
    if error.status_code != _BAD:
        return False
    told = _error_of(error)
    return told.get("type") in _FAULTS_OF_LINES and "unrecognized parameter" not in str(told.get("reason"))


def _sentence(error: Mapping[str, Any]) -> str:
    """Elasticsearch's reason with the one below it, which often is the telling one."""
    cause = _as_error(error.get("caused_by"))
    deeper = f" ({cause['reason']})" if cause.get("reason") else ""
    return f"{error.get('type')}: {error.get('reason')}{deeper}"
