"""The shop's API as we use it."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from prometheus_client import CollectorRegistry, Gauge

from etl.connections import UPSTREAM, Connections, ServerUnavailable

_TIMEOUT_SECONDS = 5.0
_PAGE = 100


class ShopUnavailable(ServerUnavailable):
    """The shop could not do what it was asked."""

    def __init__(self, cause: object) -> None:
        super().__init__(UPSTREAM, cause)


class RequestsUsedUp(ShopUnavailable):
    """We asked too often; `seconds` says when it may be asked again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the hour's requests are used up, and are there again in {seconds:.0f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class ShopPage:
    """Some rows, raw."""

    rows: tuple[Any, ...]
    last: int
    has_more: bool


class ShopClient:
    """Fetches pages, and remembers what the shop says of our quota; for one thread."""

    def __init__(self, url: str, connections: Connections, registry: CollectorRegistry) -> None:
        self._client = httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)
        self._connections = connections
        self._limit = Gauge("etl_upstream_requests_limit", "What the shop allows in an hour.", registry=registry)
        self._remaining = Gauge(
            "etl_upstream_requests_remaining", "What is left of it, as the last answer said.", registry=registry
        )
        self.remaining: int | None = None
        self._reset_at = 0.0
        self._used_up = False

    def page(self, begin: int | datetime) -> ShopPage:
        """The rows after a number, or since a moment.

        Raises:
            RequestsUsedUp: not now.
            ShopUnavailable: it failed, or answered what isn't its answer.
        """
        if self._used_up:
            self._ask_for_quota()
        asked = {"since": begin.isoformat()} if isinstance(begin, datetime) else {"after": str(begin)}
        return self._read(self._asked("/orders", {**asked, "limit": str(_PAGE)}))

    def seconds_to_reset(self, clock: Callable[[], float] = time.monotonic) -> float:
        """Until all requests are there again."""
        return max(1.0, self._reset_at - clock())

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _ask_for_quota(self) -> None:
        """After the shop has refused us: its other address costs nothing, so it isn't pestered by our runs."""
        try:
            self._used_up = int(json.loads(self._asked("/rate_limit", {}))["remaining"]) < 1
        except (ValueError, KeyError, TypeError) as error:
            raise self._unreadable(error) from error
        if self._used_up:
            raise RequestsUsedUp(self.seconds_to_reset())

    def _asked(self, path: str, parameters: Mapping[str, str]) -> bytes:
        try:
            answer = self._client.get(path, params=parameters)
        except httpx.HTTPError as error:
            self._connections.failed(UPSTREAM, error)
            raise ShopUnavailable(f"{type(error).__name__}: {error}") from error
        self._remember(answer.headers)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            self._used_up = True
            raise RequestsUsedUp(self.seconds_to_reset())
        if answer.status_code != httpx.codes.OK:
            self._connections.failed(UPSTREAM, f"HTTP {answer.status_code}")
            raise ShopUnavailable(f"it answered {answer.status_code}")
        return answer.content

    def _remember(self, headers: Mapping[str, str]) -> None:
        try:
            limit, remaining, reset = (int(headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset"))
        except (KeyError, ValueError):
            return  # a proxy answered, or nothing is counted
        self.remaining, self._reset_at = remaining, time.monotonic() + reset
        self._limit.set(limit)
        self._remaining.set(remaining)

    def _read(self, content: bytes) -> ShopPage:
        try:
            document = json.loads(content)
            return ShopPage(tuple(document["orders"]), int(document["last"]), bool(document["has_more"]))
        except (ValueError, KeyError, TypeError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> ShopUnavailable:
        self._connections.failed(UPSTREAM, "no_answer_of_the_shop")
        return ShopUnavailable(f"its answer can't be read: {error!r}")
