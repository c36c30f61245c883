"""Bulk requests on the real server: every document's answer is read, and nothing else is taken for success."""

import json

import orjson
import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs import ElasticsearchLogStore
from sereno_backends.logs.elasticsearch_bulk import BulkWriter, split_documents
from sereno_backends.logs.trouble import WaitReason
from support.elasticsearch import marked
from support.log_records import MakeRecord
from support.proxy import Asked, Proxy, Refusal

pytestmark = marked


def lines(stream: str, *ids: str, **more: object) -> bytes:
    """A bulk body that creates one small document for each id."""
    document = orjson.dumps({"@timestamp": "2026-11-22T12:00:00Z", "message": "x", **more})
    return b"".join(
        b'{"create":{"_index":"%b","_id":"%b"}}\n%b\n' % (stream.encode(), one.encode(), document) for one in ids
    )


@pytest.fixture
def stream(elastic_store: ElasticsearchLogStore, namespace: str, record: MakeRecord) -> str:
    """A data stream with its template."""
    elastic_store.write([record("first")])
    return f"logs-app-{namespace}"


@pytest.fixture
def through_proxy(proxy: Proxy) -> BulkWriter:
    """A writer whose requests a test may answer itself."""
    client = Elasticsearch(proxy.url).options(max_retries=0, request_timeout=5)
    return BulkWriter(lambda: client, "the server")


def bulk_only(refusal: Refusal, proxy: Proxy) -> None:
    """Answer bulk requests with this."""
    proxy.refuse = lambda asked: refusal if asked.path.startswith("/_bulk") else None


def test_a_mixed_request_is_answered_document_by_document(client: Elasticsearch, stream: str) -> None:
    """Stored, known, poisonous and homeless documents of one request are told apart by their places."""
    writer = BulkWriter(lambda: client, "the server")
    body = lines(stream, "a", "first") + lines(stream, "poison", log="no object") + lines(f"{stream}x", "homeless")
    answer = writer.create(body, 4)
    assert (answer.indexed, answer.duplicates, answer.waiting) == (1, (1,), (3,))
    (refusal,) = answer.refusals
    assert refusal.position == 2
    assert "object mapping for [log]" in refusal.reason
    assert answer.trouble is not None
    assert answer.trouble.reason is WaitReason.UNPREPARED  # and no plain index took the missing stream's place
    assert not client.indices.exists(index=f"{stream}x")


def test_an_unusable_id_spoils_no_other_document(client: Elasticsearch, stream: str) -> None:
    """A whole request that is refused for one of its lines is taken apart until that line is alone."""
    writer = BulkWriter(lambda: client, "the server")
    ids = [str(number) for number in range(6)]
    ids[3] = "x" * 600
    answer = writer.create(lines(stream, *ids), 6)
    assert (answer.indexed, [refusal.position for refusal in answer.refusals]) == (5, [3])


def test_a_request_too_large_is_split_down_to_the_document(
    proxy: Proxy, through_proxy: BulkWriter, stream: str
) -> None:
    """Behind a proxy with a small limit only the document that is too large by itself is refused."""
    proxy.refuse = lambda asked: Refusal(413) if len(asked.body) > 900 else None
    body = lines(stream, *"abcdefgh") + lines(stream, "huge", message="y" * 1000)
    answer = through_proxy.create(body, 9)
    assert (answer.indexed, answer.trouble) == (8, None)
    (refusal,) = answer.refusals
    assert (refusal.position, "too large for the server" in refusal.reason) == (8, True)
    assert answer.requests > 1


def test_a_caller_may_ask_for_small_requests(proxy: Proxy, through_proxy: BulkWriter, stream: str) -> None:
    """No request holds more documents than asked for, and places are those of the whole body."""
    answer = through_proxy.create(lines(stream, "a", "b", "first", "c", "d"), 5, most=2)
    assert (answer.indexed, answer.duplicates) == (4, (2,))
    counts = [len(split_documents(asked.body)) for asked in proxy.asked if asked.path.startswith("/_bulk")]
    assert counts == [2, 2, 1]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (Refusal(200, b"<html>Welcome</html>"), WaitReason.NONSENSE),
        (Refusal(200, b"{}"), WaitReason.NONSENSE),
        (
            Refusal(200, json.dumps({"errors": False, "items": [{"create": {"status": 201}}]}).encode()),
            WaitReason.NONSENSE,
        ),
        (Refusal(200, b'{"items":[]}', product=None), WaitReason.NONSENSE),
        (Refusal(400, b'{"message": "Bad Request"}'), WaitReason.NONSENSE),
        (Refusal(400, b'{"error": {"code": 400, "message": "Bad Request"}}'), WaitReason.NONSENSE),
        (Refusal(401), WaitReason.FORBIDDEN),
        (Refusal(403), WaitReason.FORBIDDEN),
        (Refusal(429), WaitReason.BUSY),
        (Refusal(503), WaitReason.BUSY),
    ],
)
def test_no_other_answer_is_taken_for_success_or_for_a_fault_of_the_documents(
    *, proxy: Proxy, through_proxy: BulkWriter, stream: str, refusal: Refusal, reason: WaitReason
) -> None:
    """Garbage, half an answer, a proxy's page, refused credentials: all documents wait, with the reason."""
    bulk_only(refusal, proxy)
    answer = through_proxy.create(lines(stream, "a", "b"), 2)
    assert (answer.indexed, answer.refusals, answer.waiting) == (0, (), (0, 1))
    assert answer.trouble is not None
    assert answer.trouble.reason is reason
    assert answer.trouble.may_be_stored is (refusal.status in (200, 503))


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (
            400,
            "validation_exception",
            "this action would add [2] shards, but … [1000]/[1000] maximum normal shards open",
        ),
        (400, "index_closed_exception", "closed"),
        (400, "illegal_argument_exception", "pipeline with id [mine] does not exist"),
        (503, "unavailable_shards_exception", "primary shard is not active"),
    ],
)
def test_the_clusters_own_troubles_make_no_document_dead(
    *, proxy: Proxy, through_proxy: BulkWriter, stream: str, status: int, kind: str, reason: str
) -> None:
    """A 400 that speaks of the cluster is waited for, though other documents' 400 are for good."""
    item = {"create": {"status": status, "error": {"type": kind, "reason": reason}}}
    bulk_only(Refusal(200, json.dumps({"errors": True, "items": [item]}).encode()), proxy)
    answer = through_proxy.create(lines(stream, "a"), 1)
    assert (answer.refusals, answer.waiting) == ((), (0,))


@pytest.mark.parametrize(
    ("status", "kind", "in_doubt"),
    [
        (429, "es_rejected_execution_exception", False),
        (403, "cluster_block_exception", False),
        (404, "index_not_found_exception", False),
        (503, "unavailable_shards_exception", False),
        (503, "node_not_connected_exception", True),
        (500, "node_closed_exception", True),
    ],
)
def test_what_a_shard_may_have_stored_before_it_failed_is_in_doubt(
    *, proxy: Proxy, through_proxy: BulkWriter, stream: str, status: int, kind: str, in_doubt: bool
) -> None:
    """A document's 5xx may come from a primary that stored it and went away; any other no is one before storing."""
    refused = [{"create": {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}}]
    refused.append({"create": {"status": status, "error": {"type": kind, "reason": "because"}}})
    bulk_only(Refusal(200, json.dumps({"errors": True, "items": refused}).encode()), proxy)
    answer = through_proxy.create(lines(stream, "a", "b"), 2)
    assert answer.waiting == (0, 1)
    assert answer.trouble is not None
    assert answer.trouble.may_be_stored is in_doubt


def test_errors_of_another_form_than_elasticsearchs_are_read(
    proxy: Proxy, through_proxy: BulkWriter, stream: str
) -> None:
    """A gateway's plain sentence instead of an error object ends nobody's process."""
    items = [
        {"create": {"status": 503, "error": "upstream is away"}},
        {"create": {"status": 400, "error": {"type": "odd", "reason": "r", "caused_by": "plain"}}},
    ]
    bulk_only(Refusal(200, json.dumps({"errors": True, "items": items}).encode()), proxy)
    answer = through_proxy.create(lines(stream, "a", "b"), 2)
    assert (answer.waiting, [refusal.reason for refusal in answer.refusals]) == ((0,), ["odd: r (plain)"])
    assert answer.trouble is not None
    assert "upstream is away" in answer.trouble.message


def test_refused_credentials_are_renewed_and_tried_again_once(proxy: Proxy, stream: str) -> None:
    """After a 401 a change of the credentials' file is noticed at once; without a change nothing is repeated."""
    clients = [Elasticsearch(proxy.url, api_key="old"), Elasticsearch(proxy.url, api_key="new")]

    def refuse(asked: Asked) -> Refusal | None:
        return None if asked.authorization == "ApiKey new" else Refusal(401)

    def renew() -> bool:
        had = len(clients) > 1
        del clients[: len(clients) - 1]
        return had

    proxy.refuse = refuse
    writer = BulkWriter(lambda: clients[0], "the server", renew=renew)
    assert writer.create(lines(stream, "a"), 1).indexed == 1


def test_compressed_requests_are_understood(client: Elasticsearch, stream: str) -> None:
    """The real server takes gzip."""
    assert BulkWriter(lambda: client, "the server", compress=True).create(lines(stream, "a", "b"), 2).indexed == 2
