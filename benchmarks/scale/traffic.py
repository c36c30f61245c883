"""A target with known traffic: nothing before it begins and nothing after it ends, and an incident in between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds of the run, the end not included."""

    start: float
    end: float

    def holds(self, at: float) -> bool:
        """Whether a moment lies within."""
        return self.start <= at < self.end

    def passed(self, at: float) -> float:
        """How many of its seconds are over."""
        return min(max(at - self.start, 0.0), self.end - self.start)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens when, in seconds from the beginning of the run."""

    traffic: Span = Span(75, 375)
    incident: Span = Span(195, 315)
    one_replica_down: Span = Span(210, 330)
    """Of the second one, which the receiver with an election has chosen until then."""
    writes_held_back: tuple[Span, ...] = (Span(120, 160), Span(205, 315))
    """So long the network between an agent and its receiver takes nothing."""
    end: float = 600
    events_a_second: float = 20
    bad_share: float = 0.01
    bad_share_of_incident: float = 0.5

    def bad(self, at: float) -> int:
        """How many bad events there were by then."""
        usual = self.traffic.passed(at) - self.incident.passed(at)
        return int(
            self.events_a_second * (usual * self.bad_share + self.incident.passed(at) * self.bad_share_of_incident)
        )

    def events(self, at: float) -> int:
        """How many events there were by then."""
        return int(self.events_a_second * self.traffic.passed(at))


def exposition(schedule: Schedule, at: float, began: float) -> str:
    """What the target answers to a scrape; its process is a day old and has counted before."""
    bad = schedule.bad(at)
    return (
        f"process_start_time_seconds {began - _DAY_SECONDS:.0f}\n"
        f'requests_total{{code="200"}} {1000 + schedule.events(at) - bad}\n'
        f'requests_total{{code="500"}} {10 + bad}\n'
    )


@contextmanager
def serving_target(schedule: Schedule, began: float, clock: Callable[[], float]) -> Iterator[str]:
    """The address of a target that counts by the clock."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = exposition(schedule, clock() - began, began).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with serving_http(Handler) as address:
        yield address


@contextmanager
def serving_http(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address, without http://, of a server on a free port that is gone when the block is left."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
