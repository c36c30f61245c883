"""The metrics API, as the users service asks it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, ValidationError

from fitness.events import Event

Answer = TypeVar("Answer", bound=BaseModel)


class MetricsSilent(Exception):  # noqa: N818 - reads as what happened
    """The metrics API gave no answer, or none that is one."""


class _Stored(BaseModel):
    stored: dict[str, AwareDatetime]


class _NewOnes(BaseModel):
    new: int


class MetricsApi:
    """The API at `url`; safe for several threads. Every method raises `MetricsSilent`."""

    def __init__(self, url: str, *, answer_seconds: float) -> None:
        # trust_env: a proxy of the surroundings must not stand between two services.
        self._client = httpx.Client(base_url=url, timeout=answer_seconds, trust_env=False)

    def stored(self, ids: Sequence[str]) -> Mapping[str, datetime]:
        """When each of these events was stored; those that aren't are missing."""
        return self._post("/events/stored", {"ids": list(ids)}, _Stored).stored

    def store(self, events: Sequence[Event]) -> int:
        """Store events, past the queue; how many weren't there yet."""
        given = [event.model_dump(mode="json", exclude_none=True) for event in events]
        return self._post("/events", {"events": given}, _NewOnes).new

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _post(self, path: str, body: object, kind: type[Answer]) -> Answer:
        try:
            answer = self._client.post(path, json=body)
            answer.raise_for_status()
            return kind.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise MetricsSilent(f"the metrics API can't be asked {path}: {error}") from error
