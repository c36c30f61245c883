"""What a target of the exporter `redis_queues` says in the configuration."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from sereno_exporters.frame.redis_address import RedisAddress
from sereno_exporters.frame.words import Grammar, Seconds, mistake
from sereno_exporters.queues.patterns import Pattern, is_exact

MOST_KEYS = 100
"""That one pattern may match."""
_LONGEST_KEY = 1_000
_LONGEST_REUSE_SECONDS = 3_600.0

_Trouble = tuple[tuple[str | int, ...], PydanticCustomError]


def _key(text: str) -> str:
    if not text or len(text) > _LONGEST_KEY:
        raise mistake("SLO006", f"{text[:20]!r} is no key", "write the key's name, as orders")
    return text


def _field(text: str) -> str:
    if not all(text.split(".")):
        raise mistake("SLO006", f"{text!r} is no field", "write names with dots between them, as headers.sent_at")
    return text


def _reuse(seconds: float) -> float:
    if seconds > _LONGEST_REUSE_SECONDS:
        raise mistake("SLO014", f"figures {seconds:g} s old are no use", "write 1h at most")
    return seconds


class EntryTime(Grammar):
    """Where a list's entries, which are JSON objects, carry the time at which they were added."""

    field: Annotated[str, AfterValidator(_field)] = Field(
        description="Its name; with dots, if it stands further inside", examples=["enqueued_at"]
    )
    unit: Literal["seconds", "milliseconds", "iso8601"] = Field("seconds", examples=["seconds"])


class _Keys(Grammar):
    """A key by its name, or keys by a pattern."""

    key: Annotated[str, AfterValidator(_key)] | None = Field(None, description="One key", examples=["orders"])
    match: Pattern | None = Field(None, description="Keys by a pattern of * and ?", examples=["queue:*"])
    most: int = Field(MOST_KEYS, ge=1, le=10_000, description="Keys that the pattern may match", examples=[MOST_KEYS])

    @model_validator(mode="after")
    def _is_key_or_pattern(self) -> Self:
        if (self.key is None) == (self.match is None):
            raise mistake("SLO006", "it is either a key or a pattern", "write key: orders, or match: queue:*")
        if self.match is not None and is_exact(self.match):
            raise mistake("SLO006", f"{self.match} is one key", f"write key: {self.match}")
        return self


class ListSettings(_Keys):
    """Lists that are used as queues."""

    oldest: Literal["first", "last"] = Field(
        "last",
        description="At which end the oldest entry is: last with LPUSH and BRPOP, first with RPUSH and BLPOP",
        examples=["last"],
    )
    time: EntryTime | None = Field(
        None, description="Where entries carry their time", examples=["{field: enqueued_at}"]
    )


class StreamSettings(_Keys):
    """Streams, with their consumer groups."""


class RedisQueuesSettings(RedisAddress):
    """One Redis server, and what is a queue in it."""

    reuse: Annotated[Seconds, AfterValidator(_reuse)] = Field(
        0.0, description="How old figures may be: for servers that charge by command", examples=["5m"]
    )
    lists: tuple[ListSettings, ...] = Field((), strict=False, examples=["[{key: orders}]"])
    streams: tuple[StreamSettings, ...] = Field((), strict=False, examples=["[{key: events}]"])

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if troubles := list(self._troubles()):
            # Each at its own place in the file: pydantic takes such an error's places over.
            details = [InitErrorDetails(type=what, loc=place, input=None) for place, what in troubles]
            raise ValidationError.from_exception_data("redis_queues", details)
        return self

    def _troubles(self) -> Iterator[_Trouble]:
        if not (self.lists or self.streams):
            yield ("lists",), mistake("SLO006", "the target has no list and no stream", "write lists: [{key: orders}]")
        yield from self.troubles_of_address()
        for name, settings in (("lists", self.lists), ("streams", self.streams)):
            seen: set[str | None] = set()
            for index, each in enumerate(settings):
                if each.key is not None and each.key in seen:
                    yield (name, index, "key"), mistake("SLO015", f"{each.key} is named twice", "remove one")
                seen.add(each.key)
