"""Who may hand something in: a delivery is authenticated and read, or there is an answer that says why not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never

import orjson
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from sereno_collectors.devops.authentication import Refused, Scheme, authenticate, header_of, offered
from sereno_collectors.devops.bodies import BodyReader, TooLarge, TooMany, TooSlow, is_json
from sereno_collectors.devops.metrics import Outcome
from sereno_collectors.devops.model import Message, Source
from sereno_collectors.devops.providers import ADAPTERS
from sereno_collectors.devops.secret_files import SecretFiles

LARGE_BYTES: Final = 64 * 1024
"""Bodies beyond this are worked on in a thread; for smaller ones the way there takes longer than the work."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that isn't yes."""

    status_code: int
    outcome: Outcome
    message: str

    @property
    def headers(self) -> Mapping[str, str]:
        """What is answered beside it."""
        known = {401: {"WWW-Authenticate": 'Basic realm="sereno"'}, 503: {"Retry-After": "5"}}
        return known.get(self.status_code, {})


class Admission:
    """Decides about deliveries of the given sources; all calls come from one event loop.

    Args:
        sources: who may deliver; their secrets are read from files, and read anew when those change.
        clock: gives the aware UTC time at which a delivery is received.
        bodies: reads bodies within limits.
    """

    def __init__(self, sources: Sequence[Source], clock: Callable[[], datetime], bodies: BodyReader) -> None:
        self._secrets = {source.name: SecretFiles(source.secret_files) for source in sources}
        self._clock = clock
        self._bodies = bodies

    async def admit(self, source: Source, request: Request) -> Message | Refusal:
        """The message, or why it isn't taken. Nobody's body is read who shows no credentials at all."""
        headers = _joined(request)
        secrets = self._secrets[source.name].current()
        scheme = _scheme_of(source, headers, secrets)
        if isinstance(scheme, Refusal):
            return scheme
        try:
            body = await self._bodies.read(request)
        except ClientDisconnect:
            return Refusal(400, Outcome.INVALID, "the connection ended before the body did")
        match body:
            case TooLarge():
                return Refusal(413, Outcome.TOO_LARGE, "the body is too large")
            case TooSlow():
                return Refusal(408, Outcome.INVALID, "the body didn't come in time")
            case TooMany():
                return Refusal(503, Outcome.UNAVAILABLE, "too much is being received at once")
            case bytes():
                message = Message(headers, body, None)
                checked: Message | Refusal = await off_the_loop(body, self._checked, scheme, message, secrets)
                return checked
            case _:
                assert_never(body)

    def _checked(self, scheme: Scheme, message: Message, secrets: Sequence[str]) -> Message | Refusal:
        match authenticate(scheme, message.headers, message.body, secrets, self._clock()):
            case Refused.MISSING:
                return Refusal(401, Outcome.UNAUTHENTICATED, "the credentials are incomplete")
            case Refused.WRONG:
                return Refusal(401, Outcome.UNAUTHENTICATED, "the credentials are wrong")
            case Refused.STALE:
                return Refusal(401, Outcome.STALE, "signed for another time: more than five minutes from now")
            case None:
                pass
        try:
            read = Message(message.headers, message.body, orjson.loads(message.body))
        except orjson.JSONDecodeError as error:
            return Refusal(400, Outcome.INVALID, f"the body isn't JSON: {error.msg}")
        return read


def _scheme_of(source: Source, headers: Mapping[str, str], secrets: Sequence[str]) -> Scheme | Refusal:
    """How the delivery is to be authenticated, by its head alone."""
    if not secrets:
        return Refusal(503, Outcome.UNAVAILABLE, "the source has no secret that can be used now")
    schemes = ADAPTERS[source.provider].schemes
    scheme = offered(schemes, headers, secrets)
    if scheme is None:
        wanted = " or ".join(header_of(one) for one in schemes)
        return Refusal(401, Outcome.UNAUTHENTICATED, f"no credentials: {wanted} is expected")
    if not is_json(headers.get("content-type", "")):
        return Refusal(415, Outcome.INVALID, "application/json is expected; choose it as the webhook's media type")
    if headers.get("content-encoding", "identity").lower() != "identity":
        return Refusal(415, Outcome.INVALID, "compressed bodies aren't taken")
    return scheme


async def off_the_loop(body: bytes, work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` makes of the arguments: in a thread where the body is large."""
    return await run_in_threadpool(work, *arguments) if len(body) > LARGE_BYTES else work(*arguments)


def _joined(request: Request) -> Mapping[str, str]:
    """The headers by their names in lower case; of one that is there twice, nothing is believed but that it is."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
