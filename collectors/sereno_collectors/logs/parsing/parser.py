"""From what was read to documents: a clean ECS line is passed on byte by byte, everything else is made fit first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from sereno_collectors.logs.model import Chunk, Document, Origin
from sereno_collectors.logs.parsing.caches import Hours, Streams
from sereno_collectors.logs.parsing.clean_lines import CleanLines
from sereno_collectors.logs.parsing.enrichment import Enrichment
from sereno_collectors.logs.parsing.flaws import Flaw
from sereno_collectors.logs.parsing.other_lines import OtherLines

MOST_ORIGINS = 1_024
_LINE_ENDS = b"\r\n"


@dataclass(frozen=True, slots=True)
class Parsed:
    """The documents of some chunks, in the order of their events; blank events have none."""

    documents: tuple[Document, ...]
    flaws: Mapping[Flaw, int]
    """How many documents have each flaw."""


class Parser:
    """Makes documents of events. The same events give the same documents, those with the time of reading apart.

    Args:
        namespace: the last part of the data streams' names.
        enrichment: what every document gets.
        zone: of times in text that name no zone.
    """

    def __init__(self, *, namespace: str, enrichment: Enrichment, zone: tzinfo = UTC) -> None:
        self._enrichment = enrichment
        self._zone = zone
        self._streams = Streams(namespace)
        self._hours = Hours()
        self._origins: dict[Origin, tuple[CleanLines, OtherLines]] = {}

    def __call__(self, chunks: Sequence[Chunk]) -> Parsed:
        """Parse and enrich; never an exception for what an event holds."""
        documents: list[Document] = []
        flaws: Counter[Flaw] = Counter()
        for chunk in chunks:
            lines, others = self._of(chunk.origin)
            read, keep, offset = lines.document, documents.append, chunk.offset
            for event in chunk.events:
                content = event if event[-1:] == b"}" else event.rstrip(_LINE_ENDS)
                document = read(content, offset)
                if document is not None:
                    keep(document)
                elif content.strip():
                    document, found = others.document(content, offset, chunk.read_at)
                    flaws.update(found)
                    keep(document)
                offset += len(event) + 1
        return Parsed(tuple(documents), dict(flaws))

    def _of(self, origin: Origin) -> tuple[CleanLines, OtherLines]:
        known = self._origins.get(origin)
        if known is None:
            if len(self._origins) >= MOST_ORIGINS:
                self._origins.clear()
            known = (
                CleanLines(origin, self._enrichment, self._streams, self._hours),
                OtherLines(origin, self._enrichment, self._streams, self._zone),
            )
            self._origins[origin] = known
        return known
