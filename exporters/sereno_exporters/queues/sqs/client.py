"""Calls of AWS that end in time: botocore signs and parses, the request itself is bounded here.

botocore's own timeouts bound each read, not the whole; so what it would send is sent by httpx, in the way that it
offers for that: the event `before-send`.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from threading import Lock
from typing import Any

import boto3  # type: ignore[import-untyped]
import httpx
from botocore.awsrequest import AWSPreparedRequest, AWSResponse  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Target
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.queues.sqs.settings import SqsSettings
from sereno_exporters.queues.sqs.snapshot import Calls

MOST_BYTES = 8 * 1024 * 1024
"""Of one answer."""
_SHOWN = 160
_MOST_CALLS = 32
"""For one answer, while AWS throttles."""
_LONGEST_PAUSE_SECONDS = 3.0
_LEAST_SECONDS = 0.3
"""That must be left for another call to make sense."""
_REFUSED = (
    "AccessDenied",
    "AuthFailure",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignature",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
)

_THROTTLED = ("Throttl", "RequestLimitExceeded", "TooManyRequests")


class NoSuchQueueError(FetchError):
    """The account has no queue of this name in the region, or has it no more."""


_deadline: ContextVar[Deadline] = ContextVar("deadline")
"""Of the call that this thread makes; botocore's events carry no arguments of ours."""


class _Body:
    """What botocore reads an answer from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content


class AwsService:
    """One service of AWS, of one target. Thread-safe."""

    def __init__(self, target: Target[SqsSettings], service: str) -> None:
        self._target = target
        self._service = service
        self._lock = Lock()
        self._http = httpx.Client(trust_env=False, follow_redirects=False)
        self._client: tuple[tuple[str | None, str | None], Any] | None = None
        self._calls: Counter[str] = Counter()

    @property
    def calls(self) -> Calls:
        """So far, failed ones too: AWS counts them."""
        with self._lock:
            return Calls(tuple(sorted(self._calls.items())))

    def call(self, operation: str, deadline: Deadline, about: str = "", **parameters: Any) -> dict[str, Any]:
        """What an operation answers; `operation` as in the API, GetQueueUrl.

        While AWS throttles it is called again after longer and longer pauses, for as long as the deadline allows.

        Raises:
            NoSuchQueueError: there is no such queue.
            FetchError: it failed; the message names the operation, and what it was `about`.
        """
        what = f"{operation} {about}".rstrip()
        for attempt in range(_MOST_CALLS):
            try:
                return self._called(operation, what, deadline, parameters)
            except ClientError as error:
                # By chance, too: threads that were turned away together must not come back together.
                pause = min(0.2 * 2**attempt, _LONGEST_PAUSE_SECONDS) * (0.5 + random.random() / 2)  # noqa: S311
                if not _is_throttled(error) or deadline.remaining_seconds < pause + _LEAST_SECONDS:
                    raise _refused_or_failed(error, what) from error
                time.sleep(pause)
        raise FetchError(Reason.TIMEOUT, f"{what}: AWS throttles, in {_MOST_CALLS} calls")

    def _called(self, operation: str, what: str, deadline: Deadline, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One call, which counts whatever becomes of it."""
        deadline.seconds_left()
        _deadline.set(deadline)
        try:
            method: Callable[..., dict[str, Any]] = getattr(self._opened(), _snake_case(operation))
            with self._lock:
                self._calls[operation] += 1
            return method(**parameters)
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise FetchError(
                Reason.CONFIGURATION,
                "there are no AWS credentials: write access_key_id_file and secret_access_key_file",
            ) from error
        except BotoCoreError as error:
            raise FetchError(Reason.GARBAGE, f"{what}: {_shown(str(error))}") from error

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _opened(self) -> Any:
        """A client with the credentials that the files hold now."""
        settings, secret = self._target.settings, self._target.secret
        keys = (
            secret(settings.access_key_id_file) if settings.access_key_id_file else None,
            secret(settings.secret_access_key_file) if settings.secret_access_key_file else None,
        )
        with self._lock:
            if self._client is None or self._client[0] != keys:
                self._client = keys, self._made(*keys)
            return self._client[1]

    def _made(self, key_id: str | None, secret_key: str | None) -> Any:
        settings = self._target.settings
        session = boto3.session.Session(
            aws_access_key_id=key_id, aws_secret_access_key=secret_key, region_name=settings.region
        )
        client = session.client(
            self._service,
            endpoint_url=settings.endpoint_url,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5),
        )
        client.meta.events.register(f"before-send.{self._service}", self._sent)
        return client

    def _sent(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """In botocore's stead, within the deadline and the limit of bytes."""
        deadline = _deadline.get()
        place = f"{self._service} at {httpx.URL(request.url).host}"
        headers = {name: _text(value) for name, value in request.headers.items()}
        try:
            with self._http.stream(
                request.method, request.url, content=request.body, headers=headers, timeout=deadline.seconds_left()
            ) as answer:
                body = bytearray()
                for chunk in answer.iter_bytes(65_536):
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise FetchError(Reason.TOO_LARGE, f"{place} answers more than {MOST_BYTES:,} bytes")
                    deadline.seconds_left()
                answered = {name: value for name, value in answer.headers.items() if name != "content-encoding"}
                return AWSResponse(request.url, answer.status_code, answered, _Body(bytes(body)))
        except httpx.TimeoutException as error:
            raise FetchError(Reason.TIMEOUT, f"{place} does not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            shown = _shown(str(error)) or type(error).__name__
            raise FetchError(Reason.UNREACHABLE, f"{place} can't be reached: {shown}") from error


def _snake_case(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")


def _is_throttled(error: ClientError) -> bool:
    code = str(error.response.get("Error", {}).get("Code", ""))
    return any(word in code for word in _THROTTLED)


def _refused_or_failed(error: ClientError, what: str) -> FetchError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    text = _shown(str(error.response.get("Error", {}).get("Message", "")))
    if "NonExistentQueue" in code or "QueueDoesNotExist" in code:
        return NoSuchQueueError(Reason.CONFIGURATION, f"{what}: there is no such queue in this account and region")
    if _is_throttled(error):
        return FetchError(Reason.TIMEOUT, f"{what}: AWS throttles ({code}): a longer reuse asks less often")
    if any(word in code for word in _REFUSED):
        return FetchError(Reason.REFUSED, f"{what}: {code}: look at the credentials, what they may do, and the clock")
    return FetchError(Reason.ERROR, f"{what}: {code} {text}".rstrip())


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _shown(text: str) -> str:
    return " ".join(text.split())[:_SHOWN]
