"""How Sereno's documents are mapped in Elasticsearch: data, installed as an index template per data stream."""

from typing import Any

from sereno_backends.logs.sequences import DEAD_LETTER_STREAM
from sereno_backends.logs.words import HEAD_UNITS

TEMPLATE_VERSION = 3
PRIORITY = 500  # above Elastic's own `logs-*-*` templates (100 to 250); the pattern names one data stream only

_KEYWORD: dict[str, Any] = {"type": "keyword", "ignore_above": HEAD_UNITS}
_NUMBER, _DATE = {"type": "long"}, {"type": "date"}
_SHOWN_NUMBER = {"type": "long", "index": False}
_KEPT_ONLY: dict[str, Any] = {"type": "keyword", "index": False, "doc_values": False}

_ECS_KEYWORDS = (
    "ecs.version",
    "error.code",
    "error.id",
    "error.type",
    "event.action",
    "event.category",
    "event.dataset",
    "event.kind",
    "event.outcome",
    "host.name",
    "http.request.method",
    "log.file.path",
    "log.level",
    "log.logger",
    "process.name",
    "service.environment",
    "service.name",
    "service.node.name",
    "service.version",
    "span.id",
    "tags",
    "trace.id",
    "transaction.id",
    "url.path",
    "user.id",
)
_ECS_NUMBERS = ("event.duration", "event.sequence", "http.response.status_code", "process.pid")
_ECS_DATES = ("event.created", "process.start")

# Fields that are not named here are kept in the document but not indexed ("dynamic": false): nobody's free-form
# field can make the mapping explode, and no two services' different types of one field can reject each other's logs.
MAPPINGS: dict[str, Any] = {
    "dynamic": False,
    "properties": {
        # Nanoseconds: milliseconds would part windows elsewhere than the other stores do.
        "@timestamp": {"type": "date_nanos", "ignore_malformed": False},
        # Here and below nothing is indexed that nobody asks for: norms, positions of words, numbers for show.
        "message": {"type": "text", "norms": False, "copy_to": "sereno.message_head"},
        "error.message": {"type": "text"},
        "error.stack_trace": {"type": "text", "index": False},
        "labels": {"type": "flattened"},
        **dict.fromkeys(_ECS_KEYWORDS, _KEYWORD),
        **dict.fromkeys(_ECS_NUMBERS, _NUMBER),
        **dict.fromkeys(_ECS_DATES, _DATE),
        "log.offset": _SHOWN_NUMBER,
        "sereno": {
            "properties": {
                # The message's words as every store splits them; see words.py.
                "words": {"type": "text", "analyzer": "whitespace", "norms": False, "index_options": "docs"},
                # What equal messages are counted by. `copy_to` fills it; of messages beyond `ignore_above` the
                # writer gives the beginning itself.
                "message_head": {**_KEYWORD, "index": False},
                # What is no field of ECS, or does not fit its mapping: searchable, without a mapping of its own each.
                "fields": {"type": "flattened", "ignore_above": HEAD_UNITS},
                # The document as it was read, where it had to be changed to be searchable by ECS fields.
                "document": _KEPT_ONLY,
            }
        },
    },
}

# What was refused must not be refused again: every field is made by Sereno, and what was sent is kept as one text that
# nothing looks into.
DEAD_LETTER_MAPPINGS: dict[str, Any] = {
    "dynamic": False,
    "properties": {
        "@timestamp": {"type": "date_nanos", "ignore_malformed": False},
        "message": {"type": "text"},
        "error.message": {"type": "text"},
        **dict.fromkeys(
            (
                "error.type",
                "event.dataset",
                "event.kind",
                "log.file.path",
                "log.level",
                "service.name",
                "service.node.name",
                "trace.id",
            ),
            _KEYWORD,
        ),
        **dict.fromkeys(("event.sequence", "log.offset"), _NUMBER),
        "sereno.dead_letter": {
            "properties": {
                "stream": _KEYWORD,
                "record_id": _KEYWORD,
                "timestamp": {"type": "date_nanos"},
                "document": _KEPT_ONLY,
                "line": _KEPT_ONLY,
            }
        },
    },
}

SETTINGS: dict[str, Any] = {
    "index.auto_expand_replicas": "0-1",  # a single node is green, a cluster keeps a copy
    "index.mapping.ignore_malformed": True,  # a wrong number spoils its field, not its document
}


def index_template(stream: str) -> dict[str, Any]:
    """The arguments of the request that installs the template of one data stream."""
    return {
        "index_patterns": [stream],
        "data_stream": {},
        "priority": PRIORITY,
        "version": TEMPLATE_VERSION,
        "meta": {"description": "Logs written by Sereno (sereno collect logs)"},
        "template": {
            "settings": SETTINGS,
            "mappings": DEAD_LETTER_MAPPINGS if stream.startswith(DEAD_LETTER_STREAM) else MAPPINGS,
        },
    }
