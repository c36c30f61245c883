"""`python -m benchmarks.log_compression`: what gzip costs a sender of bulk requests, and what it saves; one minute.

The requests go to a real Elasticsearch on this machine. What a slow network would need for them does not show here:
it the bytes would take there follows from their number.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import orjson
from elasticsearch import Elasticsearch
from sereno_backends.logs.elasticsearch_bulk import BulkWriter

from benchmarks.durability.server import running_server
from benchmarks.log_throughput.documents import write_lines

LINES = 20_000
REQUEST = 2_000
TURNS = 5
STREAM = b"logs-compression-default"


def main() -> int:
    """Print CPU and bytes for both ways."""
    with tempfile.TemporaryDirectory() as name, running_server() as server:
        lines = _varied(Path(name) / "lines.log")
        client = Elasticsearch(server.url)
        client.indices.put_index_template(
            name="compression", index_patterns=["logs-compression-*"], data_stream={}, priority=500
        )
        costs: dict[bool, list[float]] = {False: [], True: []}
        sent_bytes: dict[bool, int] = {}
        for turn in range(TURNS + 1):  # the first one warms up
            for compress in (False, True):
                spent, sent_bytes[compress] = _send(client, lines, f"{turn}-{compress}", compress=compress)
                costs[compress] += [spent] if turn else []
    print(f"{'request':<8} {'CPU µs a document':>18} {'bytes a document':>17}   {LINES} documents, medians of {TURNS}")
    for compress, label in ((False, "plain"), (True, "gzip 1")):
        cpu = statistics.median(costs[compress]) / LINES * 1e6
        print(f"{label:<8} {cpu:>18.1f} {sent_bytes[compress] / LINES:>17.0f}")
    return 0


def _varied(file: Path) -> list[bytes]:
    """Lines of Sereno's telemetry whose filler is another one in each: random words and trace ids."""
    write_lines(file, LINES, "compression")
    chance = random.Random(0)
    words = ["".join(chance.choices("aeioulnrstdmcp", k=chance.randint(3, 9))) for _ in range(2_000)]
    varied: list[bytes] = []
    for line in file.read_bytes().splitlines():
        document = orjson.loads(line)
        known = document["message"].split(" in the north ")[0]
        told = " ".join(chance.choices(words, k=12))
        document |= {"message": f"{known} {told}", "trace.id": f"{chance.getrandbits(128):032x}"}
        varied.append(orjson.dumps(document))
    return varied


def _send(client: Elasticsearch, lines: list[bytes], ids: str, *, compress: bool) -> tuple[float, int]:
    """CPU seconds of this process, and bytes of the bodies."""
    counted = 0

    class Counting:
        """The client, counting what is given to it."""

        transport = client.transport

        def options(self, **_: object) -> "Counting":
            return self

        def perform_request(self, method: str, path: str, *, headers: dict[str, str], body: bytes) -> object:
            nonlocal counted
            counted += len(body)
            return client.perform_request(method, path, headers=headers, body=body)

    bodies = [
        b"".join(
            b'{"create":{"_index":"logs-compression-default","_id":"%b-%d"}}\n%b\n'
            % (ids.encode(), start + place, line)
            for place, line in enumerate(lines[start : start + REQUEST])
        )
        for start in range(0, len(lines), REQUEST)
    ]
    counting = Counting()
    writer = BulkWriter(lambda: counting, "the server", compress=compress)  # type: ignore[arg-type, return-value]
    begun = time.process_time()
    for body in bodies:
        answer = writer.create(body, REQUEST)
        if answer.indexed != REQUEST:
            sys.exit(f"only {answer.indexed} of {REQUEST} were indexed: {answer.trouble}")
    return time.process_time() - begun, counted


if __name__ == "__main__":
    sys.exit(main())
