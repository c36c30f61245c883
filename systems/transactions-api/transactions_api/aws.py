"""Clients of AWS, or of what answers as AWS does at an address of its own (moto)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import botocore.exceptions  # type: ignore[import-untyped]
from boto3.session import Session  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]

from transactions_api.topic import TopicUnavailable

Answer = TypeVar("Answer")

# A POST waits for this: better a quick 503 than a slow one. Long polling adds its own second to the second one.
_CONNECT_SECONDS, _READ_SECONDS = 1, 3


class Gone(TopicUnavailable):
    """A topic or queue that there was doesn't exist any more."""


@dataclass(frozen=True, slots=True)
class Aws:
    """Where AWS is asked; region and credentials are what boto3 finds by itself (AWS_REGION and so on)."""

    endpoint_url: str | None = None
    """None: AWS itself."""
    session: Any = field(default_factory=Session)

    def client(self, service: str) -> Any:
        """A client; safe for several threads.

        Raises:
            TopicUnavailable: no region is configured, or the address is none.
        """
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 2},
            # A proxy of the environment knows nothing of an address of our own.
            proxies=None if self.endpoint_url is None else {},
        )
        try:
            return self.session.client(service, endpoint_url=self.endpoint_url, config=config)
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            raise TopicUnavailable(f"no client of {service} can be made: {error}") from error


def asked(call: Callable[[], Answer]) -> Answer:
    """What a call of a client answers.

    Raises:
        Gone: it was about something that doesn't exist.
        TopicUnavailable: AWS can't be reached, or refuses.
    """
    try:
        return call()
    except botocore.exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        kind = Gone if "NotFound" in code or "NonExistent" in code or "DoesNotExist" in code else TopicUnavailable
        raise kind(f"AWS refuses: {error}") from error
    except botocore.exceptions.BotoCoreError as error:
        raise TopicUnavailable(f"AWS can't be reached: {error}") from error
