"""From what was read to documents: a clean ECS line is passed on byte by byte, everything else is made fit first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sereno_backends.logs.elasticsearch_documents import stream_name

from sereno_collectors.logs.model import Chunk, Document, Origin
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
    """

    def __init__(self, *, namespace: str, enrichment: Enrichment) -> None:
        self._namespace = namespace
        self._enrichment = enrichment
        self._streams: dict[str, str] = {}
        self._origins: dict[Origin, tuple[CleanLines, OtherLines]] = {}

    def __call__(self, chunks: Sequence[Chunk]) -> Parsed:
        """Parse and enrich; never an exception for what an event holds."""
        documents: list[Document] = []
        flaws: Counter[Flaw] = Counter()
        for chunk in chunks:
            clean, other = self._of(chunk.origin)
            offset = chunk.offset
            for event in chunk.events:
                content = event.rstrip(_LINE_ENDS)
                document = clean.document(content, offset)
                if document is None and content.strip():
                    document, found = other.document(content, offset, chunk.read_at)
                    flaws.update(found)
                if document is not None:
                    documents.append(document)
                offset += len(event) + 1
        return Parsed(tuple(documents), dict(flaws))

    def _of(self, origin: Origin) -> tuple[CleanLines, OtherLines]:
        known = self._origins.get(origin)
        if known is None:
            if len(self._origins) >= MOST_ORIGINS:
                self._origins.clear()
            known = (
                CleanLines(origin, self._enrichment, self._stream),
                OtherLines(origin, self._enrichment, self._stream),
            )
            self._origins[origin] = known
        return known

    def _stream(self, dataset: str) -> str:
        stream = self._streams.get(dataset)
        if stream is None:
            if len(self._streams) >= MOST_ORIGINS:
                self._streams.clear()
            stream = self._streams[dataset] = stream_name(dataset, self._namespace)
        return stream
