"""GET from a target that may do anything: hang, drip, redirect, answer a gigabyte or garbage."""

import ssl
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from threading import Lock
from typing import Any, Self

import httpx
import orjson
from pydantic import Field, model_validator

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Target
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.frame.words import FilePath, Grammar, HttpUrl, mistake

MOST_BYTES = 16 * 1024 * 1024
"""Of one answer, unpacked."""
_SHOWN = 120


class HttpSettings(Grammar):
    """How a target is reached by HTTP; kinds inherit it."""

    url: HttpUrl = Field(description="Address of the target", examples=["http://127.0.0.1:15672"])
    username_file: FilePath | None = Field(None, description="File with the user's name")
    password_file: FilePath | None = Field(None, description="File with the password")
    bearer_token_file: FilePath | None = Field(None, description="File with a token, instead of name and password")
    ca_file: FilePath | None = Field(None, description="Certificate of a private authority")

    @model_validator(mode="after")
    def _one_way_to_log_in(self) -> Self:
        if (self.username_file is None) != (self.password_file is None):
            raise mistake("SLO006", "username_file and password_file belong together", "write both, or neither")
        if self.bearer_token_file is not None and self.username_file is not None:
            raise mistake("SLO006", "there are two ways to log in", "write bearer_token_file, or name and password")
        return self


class HttpTarget:
    """A client of one target. Thread-safe; connections are kept between scrapes."""

    def __init__(self, target: Target[Any], settings: HttpSettings, *, most_bytes: int = MOST_BYTES) -> None:
        self._target = target
        self._settings = settings
        self._most_bytes = most_bytes
        self._opening = Lock()
        self._client: httpx.Client | None = None

    def get_json(self, path: str, deadline: Deadline, **parameters: str | int) -> Any:
        """The JSON that the target answers with 200.

        Raises:
            FetchError: anything else came, or nothing.
        """
        body = self.get(path, deadline, **parameters)
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            shown = body[:_SHOWN].decode(errors="replace")
            raise FetchError(Reason.GARBAGE, f"{self._place(path)} answered no JSON: {shown!r}") from error

    def get(self, path: str, deadline: Deadline, **parameters: str | int) -> bytes:
        """The body that the target answers with 200; redirects are not followed.

        Raises:
            FetchError: anything else came, or nothing.
        """
        place = self._place(path)
        headers, auth = self._login()
        timeout = httpx.Timeout(deadline.seconds_left())
        try:
            # None, not {}: httpx takes an empty mapping for "no query", and drops the path's own.
            asked = parameters or None
            with self._opened().stream(
                "GET", self._settings.url + path, params=asked, headers=headers, auth=auth, timeout=timeout
            ) as response:
                _check_status(response, place)
                return self._body(response, deadline, place)
        except httpx.TimeoutException as error:
            raise FetchError(Reason.TIMEOUT, f"{place} does not answer in time") from error
        except httpx.DecodingError as error:
            raise FetchError(Reason.GARBAGE, f"{place}: the answer can't be unpacked: {error}") from error
        except (httpx.TransportError, httpx.InvalidURL, OSError) as error:
            raise FetchError(
                Reason.UNREACHABLE, f"{place} can't be reached: {error or type(error).__name__}"
            ) from error

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()

    def _body(self, response: httpx.Response, deadline: Deadline, place: str) -> bytes:
        """Read with the whole answer's time and size in view: a drip keeps within any timeout of a single read."""
        body = bytearray()
        response.stream = _InTime(response.stream, deadline, place)
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._most_bytes:
                raise FetchError(Reason.TOO_LARGE, f"{place} answers more than {self._most_bytes:,} bytes")
        return bytes(body)

    def _opened(self) -> httpx.Client:
        with self._opening:  # parts of a target are fetched at the same time
            if self._client is None:
                self._client = httpx.Client(verify=self._authorities(), trust_env=False, follow_redirects=False)
            return self._client

    def _authorities(self) -> ssl.SSLContext:
        if self._settings.ca_file is None:
            return _public_authorities()
        path = self._target.file(self._settings.ca_file)
        try:
            return ssl.create_default_context(cafile=path)
        except (OSError, ssl.SSLError) as error:
            raise FetchError(Reason.CONFIGURATION, f"the certificate {path} can't be read: {error}") from error

    def _login(self) -> tuple[dict[str, str], tuple[str, str] | None]:
        settings, secret = self._settings, self._target.secret
        if settings.bearer_token_file is not None:
            return {"Authorization": f"Bearer {secret(settings.bearer_token_file)}"}, None
        if settings.username_file is not None and settings.password_file is not None:
            return {}, (secret(settings.username_file), secret(settings.password_file))
        return {}, None

    def _place(self, path: str) -> str:
        return f"{self._settings.url}{path}"


class _InTime(httpx.SyncByteStream):
    """A body's bytes as they come; looked at one by one, before anything is gathered or unpacked of them."""

    def __init__(self, inner: Any, deadline: Deadline, place: str) -> None:
        self._inner = inner
        self._deadline = deadline
        self._place = place

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._inner:
            if self._deadline.has_passed:
                raise FetchError(Reason.TIMEOUT, f"{self._place} does not come to the end of its answer in time")
            yield chunk

    def close(self) -> None:
        self._inner.close()


@cache
def _public_authorities() -> ssl.SSLContext:
    """Made once: a hundred targets would spend seconds of CPU on reading them a hundred times."""
    return httpx.create_ssl_context(trust_env=False)


def _check_status(response: httpx.Response, place: str) -> None:
    status = response.status_code
    if status == HTTPStatus.OK:
        return
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise FetchError(Reason.REFUSED, f"{place} answers {status}: look at name and password, and what they may do")
    if response.is_redirect:
        raise FetchError(
            Reason.ERROR, f"{place} redirects ({status}), which is not followed: write the final address as url"
        )
    cure = ": look at the address, and the names in it" if status == HTTPStatus.NOT_FOUND else ""
    raise FetchError(Reason.ERROR, f"{place} answers {status}{cure}")
