"""Rollover and deletion by Sereno itself, for servers without a lifecycle of their own."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from sereno_backends.logs.elasticsearch_client import explained
from sereno_backends.logs.lifecycle.model import Deletion, Retention, Retentions, RollOver, Stream
from sereno_backends.logs.lifecycle.plan import deletions, due
from sereno_backends.logs.lifecycle.streams import read_streams
from sereno_backends.logs.model import LogStoreRefused


class RetentionJob:
    """Says which indices are over and which streams are due for the next one, and does either.

    Only streams of Sereno's templates that no policy looks after are governed. The job asks nothing about data-stream
    lifecycles: it is for servers that have none (`lifecycle.py` finds out).

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
            return read_streams(self._client, self._retentions.namespace)

    def deletions(self, streams: Sequence[Stream]) -> tuple[Deletion, ...]:
        """Of these streams, what is due."""
        now = self._now()
        return tuple(gone for each in governed(streams) for gone in due(deletions(each, self._of(each)), now))

    def rollovers(self, streams: Sequence[Stream]) -> tuple[RollOver, ...]:
        """Of these streams, those whose newest index is full or old enough, by the server's own judgement.

        A stream of which the server refuses to judge is among them: carrying it out tells why, and keeps no other
        stream from its turn.
        """
        asked = ((each.name, self._conditions_met(each)) for each in governed(streams))
        return tuple(RollOver(name, met) for name, met in asked if met is not None)

    def carry_out(self, action: Deletion | RollOver) -> bool:
        """Do it; False: there was nothing to do any more."""
        if isinstance(action, RollOver):
            conditions = _conditions(self._retentions.of(Stream(action.stream, (), is_ours=True).dataset))
            return bool(self._client.indices.rollover(alias=action.stream, conditions=conditions)["rolled_over"])
        try:
            self._client.indices.delete(index=action.index)
        except NotFoundError:
            return False  # another collector was faster
        return True

    def _conditions_met(self, stream: Stream) -> tuple[str, ...] | None:
        """Which are met, if the index would be followed by the next one; None: it would not."""
        conditions = _conditions(self._of(stream))
        try:
            with explained(self._name):
                answer = self._client.indices.rollover(alias=stream.name, conditions=conditions, dry_run=True)
        except LogStoreRefused:
            return ()
        met = sorted(what.strip("[]") for what, is_met in answer["conditions"].items() if is_met)
        is_due = any(each.startswith("min_docs") for each in met) and len(met) > 1
        return tuple(met) if is_due else None

    def _of(self, stream: Stream) -> Retention:
        return self._retentions.of(stream.dataset)


def governed(streams: Sequence[Stream]) -> tuple[Stream, ...]:
    """Those that Sereno looks after itself."""
    return tuple(each for each in streams if each.is_ours and each.write_index.policy is None)


def _conditions(retention: Retention) -> dict[str, Any]:
    """Checked by the server; an empty index is never rolled over."""
    return {
        "max_age": f"{int(retention.age_to_roll_over.total_seconds())}s",
        "max_primary_shard_size": f"{retention.rollover_bytes}b",
        "min_docs": 1,
    }
