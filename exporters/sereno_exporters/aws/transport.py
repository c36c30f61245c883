"""How botocore's requests travel: its own transport knows neither a deadline for a whole answer nor a limit of size.

botocore asks handlers of `before-send` for an answer before it sends a request itself; this one always has one.
"""

import threading
from collections.abc import Iterator
from typing import Any

import httpx
from botocore.awsrequest import AWSPreparedRequest, AWSResponse  # type: ignore[import-untyped]

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.http import MOST_BYTES
from sereno_exporters.frame.trouble import FetchError, Reason


class _Body:
    """What botocore reads an answer from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content


class Transport:
    """Sends what botocore prepared and signed; redirects are not followed. Thread-safe."""

    def __init__(self, *, trust_env: bool) -> None:
        self._client = httpx.Client(trust_env=trust_env, follow_redirects=False)
        self._local = threading.local()

    def until(self, deadline: Deadline) -> None:
        """All that this thread asks from now on has to end by then."""
        self._local.deadline = deadline

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Answer botocore's event.

        Raises:
            FetchError: no answer came, or one that is no use.
        """
        deadline: Deadline = self._local.deadline
        headers = {key: _text(value) for key, value in request.headers.items()}
        prepared = httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=request.body or b"",
            extensions={"timeout": httpx.Timeout(deadline.seconds_left()).as_dict()},
        )
        try:
            response = self._client.send(prepared, stream=True)
            try:
                body = _body(response, deadline)
            finally:
                response.close()
        except httpx.TimeoutException as error:
            raise FetchError(Reason.TIMEOUT, f"{prepared.url.host} does not answer in time") from error
        except httpx.DecodingError as error:
            raise FetchError(Reason.GARBAGE, f"{prepared.url.host}: the answer can't be unpacked: {error}") from error
        except (httpx.TransportError, httpx.InvalidURL, OSError) as error:
            why = str(error) or type(error).__name__
            raise FetchError(Reason.UNREACHABLE, f"{prepared.url.host} can't be reached: {why}") from error
        kept = {key: value for key, value in response.headers.items() if key.lower() != "content-encoding"}
        return AWSResponse(str(prepared.url), response.status_code, kept, _Body(body))

    def close(self) -> None:
        """Hang up."""
        self._client.close()


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _body(response: httpx.Response, deadline: Deadline) -> bytes:
    """Read with the whole answer's time and size in view: a drip keeps within any timeout of a single read."""
    body = bytearray()
    for chunk in response.iter_bytes(65_536):
        body += chunk
        if len(body) > MOST_BYTES:
            raise FetchError(Reason.TOO_LARGE, f"{response.url.host} answers more than {MOST_BYTES:,} bytes")
        if deadline.has_passed:
            raise FetchError(Reason.TIMEOUT, f"{response.url.host} does not end its answer in time")
    return bytes(body)
