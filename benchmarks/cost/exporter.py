"""The processes of a fleet, as one process on loopback: `/<job>/<instance>` answers what Prometheus scrapes."""

import multiprocessing
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection

from benchmarks.cost.fleet import Counter, Fleet, counters
from benchmarks.simulation import SECOND

_START_SECONDS = 30
_CONTENT_TYPE = "text/plain; version=0.0.4"


class ExporterError(Exception):
    """The exporter's process doesn't start."""


@contextmanager
def running_exporter(fleet: Fleet) -> Iterator[str]:
    """`host:port` of an exporter in a process of its own, which ends with the block.

    Raises:
        ExporterError: it doesn't answer in time.
    """
    processes = multiprocessing.get_context("spawn")
    here, there = processes.Pipe()
    process = processes.Process(target=_serve, args=(fleet, there), daemon=True)
    process.start()
    try:
        if not here.poll(_START_SECONDS):
            raise ExporterError(f"the exporter didn't start within {_START_SECONDS} s")
        yield f"127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join(_START_SECONDS)


def exposition(prefixes: list[tuple[str, Counter]], fleet: Fleet, now_ms: int) -> bytes:
    """What a process answers now."""
    age_seconds = fleet.age_seconds(now_ms)
    lines = [f"{prefix} {counter.value(age_seconds)}\n" for prefix, counter in prefixes]
    lines.append(f"process_start_time_seconds {fleet.started_ms / SECOND}\n")
    return "".join(lines).encode()


def prefixes(job: str) -> list[tuple[str, Counter]]:
    """Each series of a process as text up to its value, rendered once."""
    return [(sample_name(counter.labels), counter) for counter in counters(job)]


def sample_name(labels: Mapping[str, str]) -> str:
    """`name{label="value"}` of a series whose label values need no escapes."""
    inside = ",".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
    return f"{labels['__name__']}{{{inside}}}" if inside else labels["__name__"]


def _serve(fleet: Fleet, to_parent: Connection) -> None:
    rendered = {job: prefixes(job) for job in fleet.jobs}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # Prometheus keeps its connections

        def do_GET(self) -> None:
            series = rendered.get(self.path.split("/")[1])
            body = b"" if series is None else exposition(series, fleet, round(time.time() * SECOND))
            self.send_response(404 if series is None else 200)
            self.send_header("Content-Type", _CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Scrapes are not worth a line."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        to_parent.send(server.server_address[1])
        server.serve_forever()
