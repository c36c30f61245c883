"""Reading request bodies within limits, before anybody is trusted."""

import asyncio
from dataclasses import dataclass
from email.message import Message as MimeHeaders

from starlette.requests import Request

LARGEST_BODY_BYTES = 25 * 1024 * 1024
"""GitHub's own cap; the other providers stay below."""
LARGEST_SUM_BYTES = 200 * 1024 * 1024
"""Of all bodies that are being read at once: strangers can't fill the memory."""
READ_SECONDS = 30.0
"""How long a body may take to come: GitHub itself gives up after ten."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The body is larger than any provider's."""


@dataclass(frozen=True, slots=True)
class TooSlow:
    """The body didn't come in time."""


@dataclass(frozen=True, slots=True)
class TooMany:
    """So much is being read already that this has to wait."""


def is_json(content_type: str) -> bool:
    """Whether a media type is JSON in UTF-8.

    >>> is_json("application/json; charset=utf-8"), is_json("application/x-www-form-urlencoded")
    (True, False)
    """
    headers = MimeHeaders()
    headers["content-type"] = content_type
    charset = headers.get_param("charset", "utf-8")
    kind = headers.get_content_type()
    known = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    return known and str(charset).lower() in ("utf-8", "utf8", "us-ascii")


class BodyReader:
    """Reads bodies; all calls come from one event loop."""

    def __init__(
        self,
        largest_bytes: int = LARGEST_BODY_BYTES,
        largest_sum_bytes: int = LARGEST_SUM_BYTES,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._read_seconds = read_seconds
        self._largest_bytes = largest_bytes
        self._largest_sum_bytes = largest_sum_bytes
        self._reading_bytes = 0

    async def read(self, request: Request) -> bytes | TooLarge | TooMany | TooSlow:
        """The body; too large as soon as it is, whatever its Content-Length says.

        Raises:
            ClientDisconnect: the connection ended before the body did.
        """
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > self._largest_bytes:
            return TooLarge()
        chunks = bytearray()
        try:
            async with asyncio.timeout(self._read_seconds):
                async for chunk in request.stream():
                    self._reading_bytes += len(chunk)
                    chunks += chunk
                    if len(chunks) > self._largest_bytes:
                        return TooLarge()
                    if self._reading_bytes > self._largest_sum_bytes:
                        return TooMany()
            return bytes(chunks)
        except TimeoutError:
            return TooSlow()
        finally:
            self._reading_bytes -= len(chunks)
