"""`python -m benchmarks.scale.store_size`: how many bytes of disk a byte of log line takes; a minute.

Lines of Sereno's telemetry, in words that repeat as words do, go to a real Elasticsearch by Sereno's index template.
"""

import sys
import tempfile
import time
from pathlib import Path

import click
from elasticsearch import Elasticsearch
from sereno_backends.logs.elasticsearch_bulk import BulkWriter
from sereno_backends.logs.elasticsearch_template import index_template

from benchmarks.durability.server import running_server
from benchmarks.log_throughput.documents import write_lines

REQUEST = 2_000
_STATISTICS_SECONDS = 11
"""Elasticsearch looks at a store's size every ten seconds."""


@click.command()
@click.option("--lines", default=200_000, show_default=True, type=click.IntRange(REQUEST))
def main(lines: int) -> None:
    """Print what a document takes in a fresh index, and after its segments were merged."""
    with tempfile.TemporaryDirectory() as name, running_server() as server:
        file = Path(name) / "lines.log"
        write_lines(file, lines, "size")
        client = Elasticsearch(server.url, request_timeout=300)
        print(f"{'ids':<8} {'bytes a line':>12} {'on disk':>8} {'merged':>8} {'disk / line':>11}   {lines} documents")
        for stream, has_digests in (("logs-short-default", False), ("logs-digest-default", True)):
            client.indices.put_index_template(name=stream, **index_template(stream))
            of_lines = _send(client, stream, file, has_digests=has_digests)
            fresh = _stored(client, stream) / lines
            client.indices.forcemerge(index=stream, max_num_segments=1)
            merged = _stored(client, stream) / lines
            line = of_lines / lines
            label = "digests" if has_digests else "short"
            print(f"{label:<8} {line:>12.0f} {fresh:>8.0f} {merged:>8.0f} {fresh / line:>11.2f}")


def _send(client: Elasticsearch, stream: str, file: Path, *, has_digests: bool) -> int:
    """Bytes of the lines that were sent; ids as the collector's are, 32 hexadecimal digits, or as short as can be."""
    writer = BulkWriter(lambda: client, "the server")
    sent, waiting = 0, []
    for number, line in enumerate(file.read_bytes().splitlines()):
        identity = f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}" if has_digests else f"{number:x}"
        waiting.append(b'{"create":{"_index":"%b","_id":"%b"}}\n%b\n' % (stream.encode(), identity.encode(), line))
        sent += len(line)
        if len(waiting) == REQUEST:
            answer = writer.create(b"".join(waiting), REQUEST)
            if answer.indexed != REQUEST:
                sys.exit(f"only {answer.indexed} of {REQUEST} were indexed: {answer.trouble}")
            waiting = []
    return sent


def _stored(client: Elasticsearch, stream: str) -> int:
    client.indices.flush(index=stream, force=True)
    client.indices.refresh(index=stream)
    time.sleep(_STATISTICS_SECONDS)
    primaries = client.indices.stats(index=stream, metric="store")["_all"]["primaries"]
    stored: int = primaries["store"]["size_in_bytes"]
    return stored


if __name__ == "__main__":
    main()
