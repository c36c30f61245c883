"""The data streams of a namespace as the server knows them, and whose they are."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from elasticsearch import Elasticsearch

from sereno_backends.logs.lifecycle.model import BackingIndex, Stream

MADE_BY = "Logs written by Sereno"
"""How the description in the `_meta` of Sereno's index templates and policies begins."""


def read_streams(client: Elasticsearch, namespace: str) -> tuple[Stream, ...]:
    """The streams of the namespace, other people's included; a stream that changes while it is read is left out.

    Closed indices are known with their age, without size.
    """
    pattern = f"logs-*-{namespace}"
    found = client.indices.resolve_index(name=pattern)["data_streams"]
    if not found:
        return ()
    templates = client.indices.get_index_template()["index_templates"]
    open_and_closed = ("open", "closed", "hidden")
    settings = client.indices.get_settings(index=pattern, flat_settings=True, expand_wildcards=open_and_closed)
    stats = client.indices.stats(index=pattern, metric="docs,store")["indices"]
    streams = (_stream(each, templates, settings.body, stats) for each in found)
    return tuple(each for each in streams if each is not None)


def _stream(
    found: Mapping[str, Any], templates: Sequence[Mapping[str, Any]], settings: Any, stats: Any
) -> Stream | None:
    names: list[str] = found["backing_indices"]
    # All of them or none: with one missing in between, ages would be wrong.
    if not names or any(name not in settings for name in names):
        return None
    template = deciding_template(found["name"], templates)
    return Stream(
        found["name"],
        tuple(_backing_index(name, settings[name]["settings"], stats.get(name)) for name in names),
        template is not None and is_ours(template["index_template"].get("_meta")),
        None if template is None else template["name"],
    )


def deciding_template(stream: str, templates: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The template that the server uses for the stream's next index: of those that match, the highest priority.

    (Elasticsearch reference, "Index templates": no priority counts as 0, and two equal ones can't overlap.)
    """
    matching = [
        each
        for each in templates
        if any(_matches(pattern, stream) for pattern in each["index_template"]["index_patterns"])
    ]
    return max(matching, key=lambda each: each["index_template"].get("priority") or 0, default=None)


def _matches(pattern: str, name: str) -> bool:
    """Elasticsearch's patterns know `*` only."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


def is_ours(meta: Mapping[str, Any] | None) -> bool:
    """Whether the `_meta` of a template or policy says that Sereno made it."""
    return str((meta or {}).get("description", "")).startswith(MADE_BY)


def _backing_index(name: str, settings: Mapping[str, str], stats: Mapping[str, Any] | None) -> BackingIndex:
    return BackingIndex(
        name,
        datetime.fromtimestamp(int(settings["index.creation_date"]) / 1000, UTC),
        stats["primaries"]["docs"]["count"] if stats else 0,
        stats["total"]["store"]["size_in_bytes"] if stats else 0,
        settings.get("index.lifecycle.name"),
    )
