"""What a target of the exporter `sqs` says in the configuration."""

import re
from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from sereno_exporters.frame.words import FilePath, Grammar, HttpUrl, Seconds, mistake

REUSE_SECONDS = 60.0
"""AWS charges by call, and its own figures are about a minute old."""
MOST_QUEUES = 100
_LONGEST_REUSE_SECONDS = 3_600.0

_Trouble = tuple[tuple[str | int, ...], PydanticCustomError]


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-[0-9]+", text):
        raise mistake("SLO006", f"{text!r} is no AWS region", "write for example eu-west-1")
    return text


def _queue(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}(\.fifo)?", text):
        raise mistake("SLO006", f"{text!r} is no name of a queue", "write its name, not its URL or ARN, as orders.fifo")
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", text):
        raise mistake("SLO006", f"{text!r} begins no name of a queue", "write letters, digits, - and _, as shop-")
    return text


def _reuse(seconds: float) -> float:
    if seconds > _LONGEST_REUSE_SECONDS:
        raise mistake("SLO014", f"figures {seconds:g} s old are no use", "write 1h at most")
    return seconds


class SqsSettings(Grammar):
    """Queues of one account in one region."""

    region: Annotated[str, AfterValidator(_region)] = Field(examples=["eu-west-1"])
    queues: tuple[Annotated[str, AfterValidator(_queue)], ...] = Field(
        (), strict=False, description="Queues by name", examples=["[orders, payments.fifo]"]
    )
    prefixes: tuple[Annotated[str, AfterValidator(_prefix)], ...] = Field(
        (), strict=False, description="Queues by what their names begin with", examples=["[shop-]"]
    )
    most: int = Field(MOST_QUEUES, ge=1, le=1_000, description="Queues of the target", examples=[MOST_QUEUES])
    oldest_age: bool = Field(True, description="Whether CloudWatch is asked for ages", examples=[True])  # noqa: FBT003
    reuse: Annotated[Seconds, AfterValidator(_reuse)] = Field(
        REUSE_SECONDS, description="How old figures may be before AWS is asked again", examples=["1m"]
    )
    access_key_id_file: FilePath | None = Field(
        None, description="File with the key's id; without one, boto3 looks where it always does", examples=["aws.id"]
    )
    secret_access_key_file: FilePath | None = Field(None, description="File with the secret", examples=["aws.secret"])
    endpoint_url: HttpUrl | None = Field(
        None, description="Instead of AWS' own, for both services", examples=["http://127.0.0.1:5000"]
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if troubles := list(self._troubles()):
            # Each at its own place in the file: pydantic takes such an error's places over.
            details = [InitErrorDetails(type=what, loc=place, input=None) for place, what in troubles]
            raise ValidationError.from_exception_data("sqs", details)
        return self

    def _troubles(self) -> Iterator[_Trouble]:
        if not (self.queues or self.prefixes):
            yield ("region",), mistake("SLO006", "the target has no queue", "write queues: [orders], or prefixes")
        if (self.access_key_id_file is None) != (self.secret_access_key_file is None):
            yield (
                ("region",),
                mistake(
                    "SLO006", "access_key_id_file and secret_access_key_file belong together", "write both or none"
                ),
            )
        for index, name in enumerate(self.queues):
            if name in self.queues[:index]:
                yield ("queues", index), mistake("SLO015", f"{name} is named twice", "remove one")
