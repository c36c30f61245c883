"""`python -m benchmarks.log_throughput.peer URL STREAM FILE`: the official client's `streaming_bulk`, all defaults.

The documents are in memory before the clock starts; prints wall and CPU seconds.
"""

import sys
import time
from pathlib import Path

import orjson
from elasticsearch import Elasticsearch
from elasticsearch.helpers import streaming_bulk


def send(url: str, stream: str, file: Path) -> tuple[float, float]:
    """Seconds by the wall and of this process's CPU."""
    documents = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    client = Elasticsearch(url)
    wall, cpu = time.monotonic(), time.process_time()
    for _ in streaming_bulk(
        client, ({"_op_type": "create", "_index": stream, "_source": document} for document in documents)
    ):
        pass
    return time.monotonic() - wall, time.process_time() - cpu


if __name__ == "__main__":
    print(*send(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
