"""The dead letters that an Elasticsearch keeps: how many, and mostly why. One request; no letter is fetched but one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch

from sereno_backends.logs.dead_letters import DeadLetterOrigin
from sereno_backends.logs.ecs import format_timestamp
from sereno_backends.logs.elasticsearch_client import explained
from sereno_backends.logs.health.model import RECENT, StreamLetters
from sereno_backends.logs.model import LogStoreError
from sereno_backends.logs.sequences import DEAD_LETTER_STREAM

# The kind of refusal is counted, not its sentence: that one names the value, and is another for every letter.
_WHY: dict[str, Any] = {
    "kinds": {
        "terms": {"field": "error.type", "missing": "", "size": 1},
        "aggs": {
            "newest": {"top_hits": {"size": 1, "sort": [{"@timestamp": "desc"}], "_source": ["error.message"]}},
            "services": {"terms": {"field": "service.name", "size": 1}},
        },
    }
}


def look_at_dead_letters(client: Elasticsearch, name: str, namespace: str, now: datetime) -> StreamLetters:
    """The letters of a namespace's stream; raises nothing of the store: a doctor who may not read them goes on.

    Args:
        client: of the server; it needs `read` on the stream.
        name: what the server is called in messages.
        namespace: the last part of the stream's name.
        now: the time, aware.
    """
    stream = f"{DEAD_LETTER_STREAM}{namespace}"
    since = {"range": {"@timestamp": {"gt": format_timestamp(now - RECENT)}}}
    try:
        with explained(name):
            answer = client.search(
                index=stream,
                ignore_unavailable=True,
                allow_partial_search_results=False,
                size=0,
                track_total_hits=True,
                aggs={"recent": {"filter": since, "aggs": _WHY}, **_WHY},
            )
    except LogStoreError as error:
        return StreamLetters(stream, trouble=str(error))
    found = answer.get("aggregations")  # none where no stream exists yet
    if not found:
        return StreamLetters(stream)
    recent = int(found["recent"]["doc_count"])
    return _why(
        StreamLetters(stream, int(answer["hits"]["total"]["value"]), recent), found["recent"] if recent else found
    )


def _why(letters: StreamLetters, found: Mapping[str, Any]) -> StreamLetters:
    """With the most frequent reason, of which the newest letter is the example."""
    if not found["kinds"]["buckets"]:
        return letters
    kind = found["kinds"]["buckets"][0]
    (newest,) = kind["newest"]["hits"]["hits"]
    service = next((each["key"] for each in kind["services"]["buckets"]), "")
    example = DeadLetterOrigin.of(newest["_source"]).reason
    return StreamLetters(letters.stream, letters.letters, letters.recent, kind["key"], service, example)
