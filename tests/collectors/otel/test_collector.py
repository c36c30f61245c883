"""collectors/otel/collector.yaml on the real OpenTelemetry Collector: ids, streams and documents of Sereno's own."""

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
from support.http_sink import HttpSink, http_sink
from support.otel_collector import configuration_into, needs_collector, running_collector
from support.ports import free_port
from support.waiting import wait_for

pytestmark = needs_collector

ECS_LINE = json.dumps(
    {
        "@timestamp": "2026-11-25T23:11:12.123Z",
        "log.level": "info",
        "message": "Payment 5 refused, user_id=42",
        "service.name": "shop",
        "service.node.name": "host-1-a",
        "event.dataset": "Shop access",
        "event.sequence": 7,
        "labels": {"a": "b"},
    },
    separators=(",", ":"),
)


def _plain(value: dict[str, Any]) -> Any:
    """The value that OTLP's JSON wraps."""
    ((kind, inner),) = value.items()
    if kind == "kvlistValue":
        return {pair["key"]: _plain(pair["value"]) for pair in inner["values"]}
    if kind == "arrayValue":
        return [_plain(one) for one in inner.get("values", [])]
    return int(inner) if kind == "intValue" else inner


def _records(sink: HttpSink) -> list[tuple[dict[str, Any], dict[str, Any], Any]]:
    """The scope's attributes, the record's and its body, of every record so far."""
    return [
        (
            {pair["key"]: _plain(pair["value"]) for pair in scope["scope"].get("attributes", [])},
            {pair["key"]: _plain(pair["value"]) for pair in record.get("attributes", [])},
            _plain(record["body"]),
        )
        for delivery in sink.to("/v1/logs")
        for resource in delivery.body["resourceLogs"]
        for scope in resource["scopeLogs"]
        for record in scope["logRecords"]
    ]


def _write(folder: Path, *lines: str) -> None:
    (folder / "logs").mkdir(exist_ok=True)
    with (folder / "logs/shop.log").open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def test_a_line_gets_sereno_s_stream_and_id_and_stays_the_same_document(tmp_path: Path) -> None:
    """A line of Sereno's telemetry has the id and the stream of its own collector, and its fields unchanged."""
    _write(tmp_path, ECS_LINE)
    with http_sink() as sink, running_collector(configuration_into(sink.url, free_port()), tmp_path):
        wait_for(lambda: _records(sink), what="a record arrives", timeout_seconds=20)
    ((scope, attributes, body),) = _records(sink)
    assert scope["elastic.mapping.mode"] == "bodymap"
    assert attributes["elasticsearch.document_id"] == hashlib.sha256(f"|message|{ECS_LINE}|".encode()).hexdigest()
    assert attributes["elasticsearch.index"] == "logs-shop_access-default"
    added = {"log.file.path": str(tmp_path / "logs/shop.log"), "log.offset": 0, "sereno.words": body["sereno.words"]}
    assert body == json.loads(ECS_LINE) | added
    assert body["sereno.words"].split() == ["payment", "5", "refused", "user", "id", "42"]


def test_what_is_no_json_becomes_a_document(tmp_path: Path) -> None:
    """Plain text, half a JSON object and a message beyond ASCII arrive as documents with a message."""
    _write(tmp_path, "plain text", '{"half": ', '{"message":"Grüße"}')
    with http_sink() as sink, running_collector(configuration_into(sink.url, free_port()), tmp_path):
        wait_for(lambda: len(_records(sink)) >= 3, what="three records arrive", timeout_seconds=20)
    documents = {body["message"]: body for _, _, body in _records(sink)}
    assert set(documents) == {"plain text", '{"half": ', "Grüße"}
    assert documents["plain text"]["tags"] == documents['{"half": ']["tags"] == ["_jsonparsefailure"]
    assert "sereno.words" not in documents["Grüße"]
    assert all(body["@timestamp"] and body["event.dataset"] == "app" for body in documents.values())


def test_nothing_is_lost_when_it_is_killed_while_the_store_is_away(tmp_path: Path) -> None:
    """What was read before a kill -9, and waits for the store, arrives after the next start."""
    numbered = [ECS_LINE.replace('"event.sequence":7', f'"event.sequence":{number}') for number in range(1, 501)]
    _write(tmp_path, *numbered[:300])
    otlp = free_port()
    nobody = f"http://127.0.0.1:{free_port()}"
    with running_collector(configuration_into(nobody, otlp), tmp_path):
        log = tmp_path / "collector.err"
        wait_for(lambda: b"Exporting failed" in log.read_bytes(), what="it tries in vain", timeout_seconds=20)
    _write(tmp_path, *numbered[300:])
    with http_sink() as sink, running_collector(configuration_into(sink.url, otlp), tmp_path):
        wait_for(
            lambda: {body["event.sequence"] for _, _, body in _records(sink)} == set(range(1, 501)),
            what="every number arrives",
            timeout_seconds=30,
        )
    ids = {(body["event.sequence"], attributes["elasticsearch.document_id"]) for _, attributes, body in _records(sink)}
    assert len(ids) == 500, "what is sent twice has the same id"


def test_otlp_records_go_their_own_way(tmp_path: Path) -> None:
    """A record that an SDK sends is kept as it is, for the exporter's ECS mapping, in the stream of applications."""
    otlp = free_port()
    record = {"body": {"stringValue": "over OTLP"}, "severityText": "INFO"}
    request = {"resourceLogs": [{"scopeLogs": [{"scope": {}, "logRecords": [record]}]}]}
    with http_sink() as sink, running_collector(configuration_into(sink.url, otlp), tmp_path):
        wait_for(lambda: _sent(otlp, request), what="it takes OTLP", timeout_seconds=20)
        wait_for(lambda: _records(sink), what="the record arrives", timeout_seconds=20)
    ((scope, attributes, body),) = _records(sink)
    assert (scope["elastic.mapping.mode"], attributes["elasticsearch.index"]) == ("ecs", "logs-app-default")
    assert body == "over OTLP"


def _sent(port: int, request: dict[str, Any]) -> bool:
    try:
        return httpx.post(f"http://127.0.0.1:{port}/v1/logs", json=request, trust_env=False).is_success
    except httpx.HTTPError:
        return False
