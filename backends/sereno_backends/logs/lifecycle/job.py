"""Rollover and deletion by Sereno itself, for servers without a lifecycle of their own."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from elasticsearch import Elasticsearch

from sereno_backends.logs.elasticsearch_client import explained
from sereno_backends.logs.lifecycle.model import BackingIndex, Deletion, Retention, Retentions, Stream
from sereno_backends.logs.lifecycle.plan import deletions, due

MADE_BY = "Logs written by Sereno"
"""How the description in the `_meta` of Sereno's index templates begins."""


class RetentionJob:
    """Begins new indices and deletes those whose time is over, in streams of Sereno's templates only.

    Streams that a policy of index lifecycle management looks after are left to it. The job asks nothing about
    data-stream lifecycles: it is for servers that have none.

    Args:
        client: of the server; its name in messages is `name`.
        now: the time, aware.
    """

    def __init__(self, client: Elasticsearch, name: str, retentions: Retentions, now: Callable[[], datetime]) -> None:
        self._client = client
        self._name = name
        self._retentions = retentions
        self._now = now

    def streams(self) -> tuple[Stream, ...]:
        """The streams of the namespace, other people's included.

        Raises:
            LogStoreError: the server can't be reached, or says no.
        """
        with explained(self._name):
            pattern = f"logs-*-{self._retentions.namespace}"
            found = self._client.indices.resolve_index(name=pattern)["data_streams"]
            if not found:
                return ()
            ours = self._our_patterns()
            settings = self._client.indices.get_settings(index=pattern, flat_settings=True)
            stats = self._client.indices.stats(index=pattern, metric="docs,store")["indices"]
        return tuple(
            Stream(
                each["name"],
                tuple(
                    _backing_index(name, settings[name]["settings"], stats[name])
                    for name in _names(each, settings, stats)
                ),
                any(fnmatchcase(each["name"], one) for one in ours),
            )
            for each in found
            if _names(each, settings, stats)
        )

    def planned(self) -> tuple[Deletion, ...]:
        """What the job would delete now; nothing is changed.

        Raises:
            LogStoreError: the server can't be reached, or says no.
        """
        now = self._now()
        return tuple(gone for each in self._governed() for gone in due(deletions(each, self._of(each)), now))

    def run(self) -> tuple[Deletion, ...]:
        """Roll over and delete; what was deleted.

        Raises:
            LogStoreError: the server can't be reached, or says no; running again is right.
        """
        gone = self.planned()
        with explained(self._name):
            for each in gone:
                self._client.indices.delete(index=each.index)
            for stream in self._governed():
                self._client.indices.rollover(alias=stream.name, conditions=_conditions(self._of(stream)))
        return gone

    def _governed(self) -> tuple[Stream, ...]:
        return tuple(each for each in self.streams() if each.is_ours and each.write_index.policy is None)

    def _of(self, stream: Stream) -> Retention:
        return self._retentions.of(stream.dataset)

    def _our_patterns(self) -> list[str]:
        templates = self._client.indices.get_index_template()["index_templates"]
        ours = (each["index_template"] for each in templates if _is_ours(each["index_template"]))
        return [pattern for template in ours for pattern in template["index_patterns"]]


def _is_ours(template: Mapping[str, Any]) -> bool:
    return str((template.get("_meta") or {}).get("description", "")).startswith(MADE_BY)


def _names(stream: Mapping[str, Any], settings: Any, stats: Any) -> list[str]:
    """Its backing indices, all of them or none: with one missing in between, ages would be wrong."""
    names: list[str] = stream["backing_indices"]
    return names if all(name in settings and name in stats for name in names) else []


def _backing_index(name: str, settings: Mapping[str, str], stats: Mapping[str, Any]) -> BackingIndex:
    return BackingIndex(
        name,
        datetime.fromtimestamp(int(settings["index.creation_date"]) / 1000, UTC),
        stats["primaries"]["docs"]["count"],
        stats["total"]["store"]["size_in_bytes"],
        settings.get("index.lifecycle.name"),
    )


def _conditions(retention: Retention) -> dict[str, Any]:
    """Checked by the server; an empty index is never rolled over."""
    return {
        "max_age": f"{int(retention.age_to_roll_over.total_seconds())}s",
        "max_primary_shard_size": f"{retention.rollover_bytes}b",
        "min_docs": 1,
    }
