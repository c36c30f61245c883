"""Rollover and deletion by Sereno itself, for servers without a lifecycle of their own."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch, NotFoundError

from sereno_backends.logs.elasticsearch_client import explained
from sereno_backends.logs.lifecycle.applying import apply_each
from sereno_backends.logs.lifecycle.model import Deletion, LifecycleRun, Retention, Retentions, RollOver, Stream
from sereno_backends.logs.lifecycle.plan import deletions, due
from sereno_backends.logs.lifecycle.streams import read_streams


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
            return read_streams(self._client, self._retentions.namespace)

    def planned(self) -> tuple[Deletion, ...]:
        """What the job would delete now; nothing is changed.

        Raises:
            LogStoreError: the server can't be reached, or says no.
        """
        return self.deletions(self.streams())

    def run(self) -> LifecycleRun:
        """Delete and roll over; what is refused for one index or stream keeps no other from its turn.

        Raises:
            LogStoreError: the streams can't be read; nothing was done.
        """
        streams = self.streams()
        everything: tuple[Deletion | RollOver, ...] = (
            *self.deletions(streams),
            *(RollOver(each.name, ()) for each in governed(streams)),
        )
        return apply_each(everything, self.carry_out, self._name)

    def deletions(self, streams: Sequence[Stream]) -> tuple[Deletion, ...]:
        """Of these streams, what is due."""
        now = self._now()
        return tuple(gone for each in governed(streams) for gone in due(deletions(each, self._of(each)), now))

    def rollovers(self, streams: Sequence[Stream]) -> tuple[RollOver, ...]:
        """Of these streams, those whose newest index is full or old enough, by the server's own judgement."""
        with explained(self._name):
            answers = [(each.name, self._roll_over(each, dry_run=True)) for each in governed(streams)]
        return tuple(
            RollOver(name, tuple(sorted(what.strip("[]") for what, is_met in met.items() if is_met)))
            for name, met in answers
            if met.get("[min_docs: 1]") and sum(met.values()) > 1
        )

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

    def _roll_over(self, stream: Stream, *, dry_run: bool) -> dict[str, bool]:
        conditions = _conditions(self._of(stream))
        answer = self._client.indices.rollover(alias=stream.name, conditions=conditions, dry_run=dry_run)
        met: dict[str, bool] = answer["conditions"]
        return met

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
