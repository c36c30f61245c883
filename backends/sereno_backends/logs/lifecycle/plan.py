"""Which backing indices go when: pure, so that nothing is deleted that a test has not seen being chosen."""

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

from sereno_backends.logs.lifecycle.model import Deletion, Retention, Stream


def deletions(stream: Stream, retention: Retention) -> tuple[Deletion, ...]:
    """Every index that is no longer written to, with the time when it is due, earliest first.

    An index is as old as the last document that could come into it: its age counts from when the next index was
    begun, as in Elasticsearch's own lifecycles; of one that was put into the stream later (reindexed), from
    when it was made. The index that is written to is never among them.
    """
    ended = (
        Deletion(
            index.name,
            stream.name,
            max(index.created_at, following.created_at) + retention.keep,
            index.documents,
            index.size_bytes,
        )
        for index, following in pairwise(stream.indices)
    )
    return tuple(sorted(ended, key=lambda each: (each.due_at, each.index)))


def due(planned: Iterable[Deletion], now: datetime) -> tuple[Deletion, ...]:
    """Those whose time is over."""
    return tuple(each for each in planned if each.due_at <= now)
