"""Bodies are read within limits, whoever sends them, and however slowly."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sereno_collectors.devops.bodies import BodyReader, TooLarge, TooMany, TooSlow, is_json
from starlette.requests import Request


def request(chunks: Sequence[bytes], *, hangs: bool = False, headers: Sequence[tuple[bytes, bytes]] = ()) -> Request:
    """A request whose body comes in these chunks, and then ends or hangs."""

    async def messages() -> AsyncIterator[dict[str, Any]]:
        for chunk in chunks:
            yield {"type": "http.request", "body": chunk, "more_body": True}
        if hangs:
            await asyncio.Event().wait()
        yield {"type": "http.request", "body": b"", "more_body": False}

    source = messages()
    return Request({"type": "http", "method": "POST", "headers": list(headers)}, lambda: anext(source))


def read(reader: BodyReader, *requests: Request) -> list[object]:
    """What becomes of requests that come at once."""

    async def all_of_them() -> list[object]:
        return list(await asyncio.gather(*(reader.read(one) for one in requests)))

    return asyncio.run(all_of_them())


def test_a_body_up_to_the_limit_is_read() -> None:
    """Chunks are put together; the last byte that is allowed is."""
    assert read(BodyReader(largest_bytes=6), request([b"abc", b"def"])) == [b"abcdef"]


def test_a_larger_body_is_not_read_to_its_end() -> None:
    """One byte more is too large, at once, though the sender hangs."""
    assert read(BodyReader(largest_bytes=5), request([b"abc", b"def"], hangs=True)) == [TooLarge()]


def test_an_announced_size_is_believed_when_it_is_too_large() -> None:
    """A Content-Length beyond the limit is refused before anything is read; an absurd one is no error."""
    for length in (b"6", b"9" * 400):
        told = request([], hangs=True, headers=[(b"content-length", length)])
        assert read(BodyReader(largest_bytes=5), told) == [TooLarge()]


def test_a_body_that_does_not_end_is_given_up() -> None:
    """A sender that hangs holds nothing for longer than allowed, and its bytes no longer count."""
    reader = BodyReader(largest_bytes=10, largest_sum_bytes=10, read_seconds=0.05)
    assert read(reader, request([b"abcdefgh"], hangs=True)) == [TooSlow()]
    assert read(reader, request([b"abcdefgh"])) == [b"abcdefgh"]


def test_all_bodies_together_have_a_limit() -> None:
    """While one is being read, another that would fill the memory has to wait."""
    reader = BodyReader(largest_bytes=10, largest_sum_bytes=12, read_seconds=0.05)
    assert read(reader, request([b"abcdefgh"], hangs=True), request([b"abcdefgh"])) == [TooSlow(), TooMany()]


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ("Application/JSON; charset=UTF-8", True),
        ("application/cloudevents+json", True),
        ('application/json; charset="utf-16"', False),
        ("text/json", False),
        ("", False),
        ("application/jsonp", False),
        (";;;", False),
    ],
)
def test_media_types(content_type: str, expected: bool) -> None:
    """JSON in UTF-8 is taken, whatever its exact name; nothing else is."""
    assert is_json(content_type) is expected
