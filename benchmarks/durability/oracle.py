"""What became of each emitted line: read from the server and the dead letters, without any of the product's code.

Limits: a line counts as found wherever its source and sequence number stand, its content is not compared. Of a source
that was killed -9 one line more than its journal says may exist; it may not be there twice.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

PAGE = 5_000
DEAD_LETTERS = "logs-sereno.dead_letter-*"
_SEQUENCE = re.compile(r'"event\.sequence"\s*:\s*(\d+)')
_NODE = re.compile(r'"service\.node\.name"\s*:\s*"([^"]+)"')
_STREAM_MISSING = 404

Line = tuple[str, int]
"""`service.node.name` and `event.sequence`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of one round."""

    emitted: int
    indexed: int
    dead_lettered: int
    lost: tuple[Line, ...]
    twice: tuple[Line, ...]

    @property
    def good(self) -> bool:
        """Everything is there, and once."""
        return not self.lost and not self.twice


def judge(expected: Mapping[str, int], indexed: Counter[Line], dead: Counter[Line]) -> Verdict:
    """Compare what was emitted (by node prefix, numbers from 1) with what was found."""
    found: dict[str, Counter[int]] = {node: Counter() for node in expected}
    for (source, sequence), times in (*indexed.items(), *dead.items()):
        for node in expected:
            if source.startswith(node):
                found[node][sequence] += times
    lost = tuple(
        (node, number) for node, last in expected.items() for number in range(1, last + 1) if not found[node][number]
    )
    twice = tuple((node, number) for node, counts in found.items() for number, times in counts.items() if times > 1)
    return Verdict(sum(expected.values()), indexed.total(), dead.total(), lost, twice)


def indexed_lines(client: httpx.Client, dataset: str) -> Counter[Line]:
    """Every document of the dataset's stream, over all its backing indices."""
    return Counter(
        (str(fields["service.node.name"][0]), int(fields["event.sequence"][0]))
        for hit in _hits(client, f"logs-{dataset}-*", {"match_all": {}})
        if "event.sequence" in (fields := hit.get("fields", {})) and "service.node.name" in fields
    )


def dead_lines(client: httpx.Client, file: Path, nodes: tuple[str, ...]) -> Counter[Line]:
    """Every line of these nodes among the dead letters, in the file and in the server's stream."""
    found: Counter[Line] = Counter()
    texts = [orjson.dumps(hit["_source"]).decode() for hit in _hits(client, DEAD_LETTERS, {"match_all": {}})]
    if file.exists():
        texts += file.read_text(errors="replace").splitlines()
    for text in texts:
        plain = text.replace('\\"', '"')  # the original line stands within JSON
        node, sequence = _NODE.search(plain), _SEQUENCE.search(plain)
        if node and sequence and node.group(1).startswith(nodes):
            found[node.group(1), int(sequence.group(1))] += 1
    return found


def _hits(client: httpx.Client, index: str, query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All documents, by point in time and search_after."""
    refreshed = client.post(f"/{index}/_refresh?ignore_unavailable=true")
    if refreshed.status_code == _STREAM_MISSING:
        return
    opened = client.post(f"/{index}/_pit?keep_alive=1m&ignore_unavailable=true")
    if opened.status_code == _STREAM_MISSING:
        return
    opened.raise_for_status()
    pit = opened.json()["id"]
    after: list[Any] | None = None
    dead = index == DEAD_LETTERS
    while True:
        body: dict[str, Any] = {
            "size": PAGE,
            "query": query,
            "pit": {"id": pit, "keep_alive": "1m"},
            "sort": [{"_shard_doc": "asc"}],
            "fields": ["service.node.name", "event.sequence"],
            "_source": dead,
        }
        if after is not None:
            body["search_after"] = after
        page = client.post("/_search", json=body).raise_for_status().json()["hits"]["hits"]
        yield from page
        if len(page) < PAGE:
            break
        after = page[-1]["sort"]
    client.request("DELETE", "/_pit", json={"id": pit})
