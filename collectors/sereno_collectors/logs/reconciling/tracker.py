"""Gaps in sequence numbers while documents come in: what was lost before the collector."""

from collections import OrderedDict
from collections.abc import Sequence

from sereno_collectors.logs.model import Document

MOST_SOURCES = 10_000
MOST_OPEN = 10_000
"""Numbers of one source that are waited for; when more are missing, they stay counted as missing."""


class _Followed:
    __slots__ = ("expected", "open")

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.open: set[int] = set()


class SequenceTracker:
    """Counts numbers that were passed over and did not come later; not safe for several threads.

    A source begins where it is first seen, so that a restarted collector counts nothing falsely. The source that was
    silent for longest is forgotten when there are more than `most_sources`; what it lacked stays in `missing`.
    """

    def __init__(self, *, most_sources: int = MOST_SOURCES, most_open: int = MOST_OPEN) -> None:
        self._sources: OrderedDict[str, _Followed] = OrderedDict()
        self._most_sources = most_sources
        self._most_open = most_open
        self.missing = 0
        """Numbers that are missing now; falls when a late one comes."""

    def observe(self, documents: Sequence[Document]) -> None:
        """Take in documents in the order of their arrival; those without a number are passed over."""
        source = ""
        followed: _Followed | None = None
        for _id, _stream, _body, _service, node, sequence, _hour in documents:
            if not node or not sequence:
                continue
            if followed is None or node != source:
                source, followed = node, self._followed(node, sequence)
            if sequence == followed.expected:
                followed.expected += 1
            else:
                self._out_of_order(followed, sequence)

    def _followed(self, source: str, sequence: int) -> _Followed:
        followed = self._sources.get(source)
        if followed is None:
            followed = self._sources[source] = _Followed(sequence)
            if len(self._sources) > self._most_sources:
                self._sources.popitem(last=False)
        else:
            self._sources.move_to_end(source)
        return followed

    def _out_of_order(self, followed: _Followed, sequence: int) -> None:
        if sequence < followed.expected:
            if sequence in followed.open:
                followed.open.remove(sequence)
                self.missing -= 1
            return
        passed = sequence - followed.expected
        self.missing += passed
        room = max(0, self._most_open - len(followed.open))
        followed.open.update(range(sequence - min(passed, room), sequence))
        followed.expected = sequence + 1
