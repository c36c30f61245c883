"""Lifecycles that a server has by itself: index lifecycle management and data-stream lifecycle.

Both are parts of Elastic's licensed modules: the Apache-licensed server of the tests has neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import ApiError, Elasticsearch, NotFoundError

from sereno_backends.logs.elasticsearch_client import FORBIDDEN
from sereno_backends.logs.elasticsearch_units import bytes_of, seconds_of
from sereno_backends.logs.lifecycle.model import (
    Manager,
    PolicyAttachment,
    Retention,
    Retentions,
    Stream,
    StreamRetention,
)
from sereno_backends.logs.lifecycle.streams import MADE_BY, is_ours
from sereno_backends.logs.model import LogStoreRefused

NO_SUCH_API = frozenset({400, 404, 405, 410})
"""How servers answer that don't have the part: no handler (400), another API's path (404, 405), serverless (410)."""
TEMPLATE_KEYS = (
    "index_patterns",
    "data_stream",
    "priority",
    "version",
    "composed_of",
    "ignore_missing_component_templates",
    "allow_auto_create",
)
"""What of a template that was read is written again; newer servers tell more, such as its dates, and refuse it."""


def manager_of(client: Elasticsearch, namespace: str) -> Manager:
    """Who looks after lifecycles there.

    Raises:
        LogStoreRefused: the credentials don't suffice to find out.
        ApiError, TransportError: no usable answer.
    """
    if _has(client, "/_ilm/status", "read_ilm"):
        return Manager.INDEX_LIFECYCLE
    if _has(client, f"/_data_stream/logs-*-{namespace}/_lifecycle", "manage_data_stream_lifecycle"):
        return Manager.STREAM_LIFECYCLE
    return Manager.SERENO


def _has(client: Elasticsearch, path: str, privilege: str) -> bool:
    try:
        client.perform_request("GET", path, headers={"accept": "application/json"})
    except ApiError as error:
        if error.status_code in FORBIDDEN:
            # Guessing would be wrong either way: Sereno's job beside a policy, or nobody.
            raise LogStoreRefused(
                f"the credentials may not ask for {path} ({error.status_code}): give them the privilege {privilege}"
            ) from error
        if error.status_code in NO_SUCH_API:
            return False
        raise
    return True


def policy_name(stream: Stream) -> str:
    """What Sereno calls the stream's policy of index lifecycle management."""
    return f"sereno-{stream.name}"


class IndexLifecycle:
    """A policy for each stream, `sereno-<stream>`.

    Policies of that name that somebody else made (their `_meta` says nothing of Sereno) are attached, never changed.
    """

    def __init__(self, client: Elasticsearch, retentions: Retentions) -> None:
        self._client = client
        self._retentions = retentions

    def missing(self, streams: Sequence[Stream]) -> tuple[PolicyAttachment, ...]:
        """What has to be done for the streams to follow their retention."""
        return tuple(
            PolicyAttachment(each.name, each.template, policy_name(each), retention)
            for each in streams
            if each.template is not None and self._differs(each, retention := self._retentions.of(each.dataset))
        )

    def attach(self, action: PolicyAttachment) -> bool:
        """Install the policy, and let the stream's indices and its template (for indices to come) name it."""
        if self._policy_differs(action.policy, action.retention):
            self._client.ilm.put_lifecycle(name=action.policy, policy=policy(action.retention))
        found = self._client.indices.get_index_template(name=action.template)["index_templates"][0]["index_template"]
        if _policy_of(found) != action.policy:
            self._client.indices.put_index_template(name=action.template, body=_following(found, action.policy))
        self._client.indices.put_settings(index=action.stream, settings={"index.lifecycle.name": action.policy})
        return True

    def _differs(self, stream: Stream, retention: Retention) -> bool:
        name = policy_name(stream)
        if any(index.policy != name for index in stream.indices) or self._policy_differs(name, retention):
            return True
        found = self._client.indices.get_index_template(name=stream.template)["index_templates"]
        return _policy_of(found[0]["index_template"]) != name

    def _policy_differs(self, name: str, retention: Retention) -> bool:
        try:
            found: dict[str, Any] = self._client.ilm.get_lifecycle(name=name)[name]["policy"]
        except NotFoundError:
            return True
        return is_ours(found.get("_meta")) and _phases(found) != _phases(policy(retention))


def policy(retention: Retention) -> dict[str, Any]:
    """The policy of a retention; an index's age counts from when the next one was begun, and empty ones stay."""
    rollover = {
        "max_age": _seconds(retention.age_to_roll_over.total_seconds()),
        "max_primary_shard_size": f"{retention.rollover_bytes}b",
    }
    return {
        "_meta": {"description": f"{MADE_BY} (sereno logs lifecycle)"},
        "phases": {
            "hot": {"min_age": "0ms", "actions": {"rollover": rollover}},
            "delete": {"min_age": _seconds(retention.keep.total_seconds()), "actions": {"delete": {}}},
        },
    }


def _phases(found: dict[str, Any]) -> tuple[Any, ...]:
    """What matters of a policy: servers add defaults to what they were given."""
    phases = found.get("phases", {})
    rollover = phases.get("hot", {}).get("actions", {}).get("rollover", {})
    delete = phases.get("delete", {})
    return (
        sorted(phases),
        seconds_of(rollover.get("max_age", "")),
        bytes_of(rollover.get("max_primary_shard_size", "")),
        seconds_of(delete.get("min_age", "")),
        "delete" in delete.get("actions", {}),
    )


def _policy_of(template: dict[str, Any]) -> str | None:
    settings = template.get("template", {}).get("settings", {})
    nested = settings.get("index", {}).get("lifecycle", {}).get("name")
    found: str | None = nested or settings.get("index.lifecycle.name")
    return found


def _following(template: dict[str, Any], name: str) -> dict[str, Any]:
    kept = {key: template[key] for key in (*TEMPLATE_KEYS, "_meta") if template.get(key) is not None}
    inner = dict(template.get("template", {}))
    settings = dict(inner.get("settings", {}))
    settings["index"] = {**settings.get("index", {}), "lifecycle": {"name": name}}
    return {**kept, "template": {**inner, "settings": settings}}


def without_retention(client: Elasticsearch, streams: Sequence[Stream], manager: Manager) -> tuple[str, ...]:
    """Streams that nobody deletes from, as far as the server knows: Sereno's own job isn't known to it."""
    kept: set[str] = set()
    if manager is Manager.STREAM_LIFECYCLE and streams:
        found = client.indices.get_data_lifecycle(name="logs-*-*")["data_streams"]
        kept = {each["name"] for each in found if (each.get("lifecycle") or {}).get("data_retention")}
    return tuple(each.name for each in streams if each.write_index.policy is None and each.name not in kept)


@dataclass(frozen=True, slots=True)
class PolicyTrouble:
    """Why a server's index lifecycle management does not do what policies say."""

    is_stopped: bool
    """Somebody has stopped it for the whole cluster."""
    failed: tuple[tuple[str, str], ...]
    """Indices that are stuck in a step, each with the reason."""


def policy_trouble(client: Elasticsearch) -> PolicyTrouble:
    """What stands in the way of policies, for all log streams; for servers that have them."""
    mode = client.ilm.get_status()["operation_mode"]
    stuck = client.ilm.explain_lifecycle(index="logs-*-*", only_errors=True, only_managed=True)["indices"]
    failed = (
        (name, str((each.get("step_info") or {}).get("reason", "no reason given"))) for name, each in stuck.items()
    )
    return PolicyTrouble(mode != "RUNNING", tuple(sorted(failed)))


class StreamLifecycle:
    """The server's lifecycle of data streams: it rolls over by its own measure, and deletes by the retention."""

    def __init__(self, client: Elasticsearch, retentions: Retentions) -> None:
        self._client = client
        self._retentions = retentions

    def missing(self, streams: Sequence[Stream]) -> tuple[StreamRetention, ...]:
        """What has to be done for the streams to follow their retention."""
        if not streams:
            return ()
        pattern = f"logs-*-{self._retentions.namespace}"
        found = self._client.indices.get_data_lifecycle(name=pattern)["data_streams"]
        known = {each["name"]: each.get("lifecycle") or {} for each in found}
        wanted = [(each.name, self._retentions.of(each.dataset)) for each in streams]
        return tuple(StreamRetention(name, keep) for name, keep in wanted if not _says(known.get(name, {}), keep))

    def set(self, action: StreamRetention) -> bool:
        """Give the stream its retention."""
        seconds = _seconds(action.retention.keep.total_seconds())
        self._client.indices.put_data_lifecycle(name=action.stream, data_retention=seconds)
        return True


def _says(lifecycle: dict[str, Any], retention: Retention) -> bool:
    keeps = seconds_of(str(lifecycle.get("data_retention", "")))
    return lifecycle.get("enabled") is True and keeps == retention.keep.total_seconds()


def _seconds(seconds: float) -> str:
    return f"{int(seconds)}s"
