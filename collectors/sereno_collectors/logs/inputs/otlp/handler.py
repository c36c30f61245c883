"""The answers to requests, as https://opentelemetry.io/docs/specs/otlp/#otlphttp-response has them."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from threading import BoundedSemaphore, Event
from typing import Any

from sereno_collectors.logs.inputs.otlp.chunks import LONGEST_EVENT_BYTES, unpack
from sereno_collectors.logs.inputs.otlp.messages import (
    Encoding,
    Malformed,
    TooLarge,
    answer,
    decompress,
    parse_request,
    trouble,
)
from sereno_collectors.logs.inputs.otlp.request_body import BadBody, BodyTooLarge, SocketInTime, read_body
from sereno_collectors.logs.model import Intake, QueueFull

MOST_BODY_BYTES = 8 * 1024 * 1024
"""Of a request, compressed and uncompressed."""
AT_WORK = 4
"""Requests that are read and queued at the same time: they bound the memory."""
REQUEST_SECONDS = 10.0
"""How long a client may take for the head of a request, and for its body."""
PATIENCE_SECONDS = 2.0
"""How long a request waits for the queue: exporters give up after ten."""
RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Service:
    """What stands behind the answers."""

    intake: Intake
    stop: Event
    at_work: BoundedSemaphore
    dataset: str | None
    now: Callable[[], datetime]
    broken: Callable[[Exception], None]
    """Takes what nobody foresaw, as a damaged queue: the collector is to end, and the sender keeps its records."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered."""

    status: HTTPStatus
    message: str = ""
    refused: int = 0
    """Records that are not taken, of a request that is."""


class Handler(BaseHTTPRequestHandler):
    """One connection, with its requests one after another."""

    protocol_version = "HTTP/1.1"
    server_version = "sereno"
    sys_version = ""
    disable_nagle_algorithm = True  # head and body are two small writes

    def setup(self) -> None:
        """Read with a deadline."""
        super().setup()
        self._in_time = SocketInTime(self.connection)
        self.rfile = io.BufferedReader(self._in_time)  # type: ignore[type-var]  # typeshed wants more than it uses

    def handle_one_request(self) -> None:
        """Allow the next request its time; the standard library ends the connection when it is over."""
        self._in_time.allow(REQUEST_SECONDS)
        super().handle_one_request()

    def do_GET(self) -> None:
        """`/health`: whether records would be taken."""
        if not self._is_admitted():
            self._ask_for_login()
        elif self.path != "/health":
            self._send(HTTPStatus.NOT_FOUND, b"POST /v1/logs and GET /health are here\n", "text/plain")
        elif self._service.stop.is_set():
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, b"ending\n", "text/plain")
        else:
            self._send(HTTPStatus.OK, b"ok\n", "text/plain")

    def do_POST(self) -> None:
        """`/v1/logs`: an export request."""
        if not self._is_admitted():  # before a byte of the body is read
            self._ask_for_login()
            return
        content_type = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        encoding = next((known for known in Encoding if known == content_type), None)
        if self.path != "/v1/logs":
            given = Answer(HTTPStatus.NOT_FOUND, "logs are sent to /v1/logs")
        elif encoding is None:
            given = Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type is one of {', '.join(Encoding)}")
        elif not self._service.at_work.acquire(timeout=PATIENCE_SECONDS):
            given = Answer(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests at the same time")
        else:
            try:
                given = self._export(encoding)
                self._answer(given, encoding)
            finally:
                self._service.at_work.release()
            return
        self._answer(given, encoding or Encoding.JSON)

    def _is_admitted(self) -> bool:
        given = self.headers.get_all("Authorization") or [""]
        admits: Callable[[bytes], bool] = self.server.guard.admits  # type: ignore[attr-defined]
        return len(given) == 1 and admits(given[0].encode("latin-1", errors="replace"))

    def _ask_for_login(self) -> None:
        self.close_connection = True
        self._send(HTTPStatus.UNAUTHORIZED, b"Unauthorized\n", "text/plain")

    def _export(self, encoding: Encoding) -> Answer:
        service = self._service
        packing = self.headers.get("Content-Encoding", "identity").strip().lower()
        if packing not in ("gzip", "identity"):
            return Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Encoding is gzip or none")
        self._in_time.allow(REQUEST_SECONDS)
        try:
            body = read_body(self.rfile, self.headers, MOST_BODY_BYTES)
            request = parse_request(decompress(body, MOST_BODY_BYTES) if packing == "gzip" else body, encoding)
            unpacked = unpack(request, service.now(), service.dataset)
            service.intake.accept(unpacked.chunks, patience_seconds=PATIENCE_SECONDS)
        except (BadBody, Malformed) as error:
            return Answer(HTTPStatus.BAD_REQUEST, str(error))
        except (BodyTooLarge, TooLarge):
            return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MOST_BODY_BYTES} bytes, unpacked")
        except TimeoutError as error:
            return Answer(HTTPStatus.REQUEST_TIMEOUT, str(error))
        except OSError:  # the client went away
            raise
        except Exception as error:  # noqa: BLE001 - raised again by the input
            if not isinstance(error, QueueFull):
                service.broken(error)
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        return Answer(HTTPStatus.OK, f"longer than {LONGEST_EVENT_BYTES} bytes", unpacked.refused)

    def _answer(self, given: Answer, encoding: Encoding) -> None:
        if given.status is HTTPStatus.OK:
            self._send(given.status, answer(given.refused, given.message, encoding), encoding)
            return
        self.close_connection = True  # the body may not have been read to its end
        self._send(given.status, trouble(given.message, encoding), encoding)

    def _send(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            self.send_header("Retry-After", str(RETRY_AFTER_SECONDS))
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Basic")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Requests are not logged: a collector that collects itself would never end."""

    @property
    def _service(self) -> Service:
        service: Service = self.server.service  # type: ignore[attr-defined]
        return service
