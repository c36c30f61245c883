"""What a target of the exporter `quotas` says in the configuration."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from sereno_exporters.frame.http import HttpSettings
from sereno_exporters.frame.redis_address import RedisAddress
from sereno_exporters.frame.words import FilePath, Grammar, Seconds, mistake

DAILY_VARIATION = 0.5
_SIZES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZES |= {"TiB": 2**40}
_MOST_AGE_SECONDS = 86_400.0

_Trouble = tuple[tuple[str | int, ...], PydanticCustomError]


def _amount(written: Any) -> Any:
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        return written
    try:
        number = float(written) if isinstance(written, int | float) else _size(written)
    except OverflowError as error:  # a whole number of hundreds of digits
        raise mistake("SLO006", "no plan allows so much", "write the limit that the plan names") from error
    if not 0 < number < float("inf"):
        raise mistake("SLO006", f"a limit of {written} allows nothing", "write a number above 0, as 500000 or 50GB")
    return number


def _size(written: str) -> float:
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)", written)
    if found is None or found[2] not in _SIZES:
        raise mistake("SLO006", f"{written!r} is no amount", "write a number, or a size as 250MB, 50GB or 2GiB")
    return float(found[1]) * _SIZES[found[2]]


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, OSError, ValueError) as error:  # no such name, or one that is no path
        raise mistake("SLO006", f"{text!r} is no time zone", "write for example America/Bogota or UTC") from error
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", text):
        raise mistake(
            "SLO011", f"{text!r} is no name of a quota", "write lower-case letters, digits and _, as commands"
        )
    return text


def _path(text: str) -> str:
    if not text.startswith("/") or not text.isprintable() or " " in text:
        raise mistake("SLO006", f"{text!r} is no path", "write what stands behind the address, as /v1/usage")
    return text


def _field(text: str) -> str:
    if not all(text.split(".")):
        raise mistake(
            "SLO006", f"{text!r} is no field", "write names and numbers with dots between, as usage.0.commands"
        )
    return text


JsonField = Annotated[str, AfterValidator(_field)]


class HttpReading(HttpSettings):
    """A number in the JSON that an address answers."""

    path: Annotated[str, AfterValidator(_path)] = Field("/", examples=["/v1/usage"])
    field: JsonField = Field(description="Where the number stands in it", examples=["usage.commands"])


class RedisReading(RedisAddress):
    """A field of Redis' INFO."""

    field: str = Field(pattern=r"^[a-z][a-z0-9_]*$", examples=["connected_clients"])


class PrometheusReading(HttpSettings):
    """The one value of a query; `$period` in it is the time since the period began, as 86400s."""

    query: str = Field(min_length=1, examples=["sum(increase(redis_commands_processed_total[$period]))"])


class FileReading(Grammar):
    """A number in a file that somebody writes anew, alone or within JSON."""

    file: FilePath = Field(examples=["usage.json"])
    field: JsonField | None = Field(None, description="Where it stands in the JSON", examples=["projects"])
    max_age: Seconds = Field(_MOST_AGE_SECONDS, description="A file that is older says nothing", examples=["1d"])


class Reading(Grammar):
    """Where usage is read: one of four ways."""

    http: HttpReading | None = Field(None, examples=["{url: 'https://api.example.org', field: usage}"])
    redis: RedisReading | None = Field(None, examples=["{field: connected_clients}"])
    prometheus: PrometheusReading | None = Field(None, examples=["{url: 'http://127.0.0.1:9090', query: 'sum(up)'}"])
    file: FileReading | None = Field(None, examples=["{file: usage.json, field: projects}"])

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(each is not None for each in (self.http, self.redis, self.prometheus, self.file)) != 1:
            raise mistake("SLO006", "usage is read in one way", "write one of http, redis, prometheus and file")
        return self


class Period(Grammar):
    """A month that begins anew on a day."""

    day: int = Field(1, ge=1, le=31, description="In shorter months their last one", examples=[1])
    timezone: Annotated[str, AfterValidator(_zone)] = Field("UTC", examples=["America/Bogota"])


class Quota(Grammar):
    """What is limited."""

    name: Annotated[str, AfterValidator(_name)] = Field(examples=["commands"])
    unit: str = Field("", max_length=40, description="For people", examples=["commands"])
    limit: Annotated[float, BeforeValidator(_amount)] = Field(
        description="A number or a size", examples=["500000", "50GB"]
    )
    read: Reading = Field(description="Where usage is read", examples=["{redis: {field: connected_clients}}"])
    scale: float = Field(
        1.0, gt=0, allow_inf_nan=False, strict=False, description="Usage is multiplied by it", examples=[1000000]
    )
    period: Period | None = Field(
        None, description="When it begins anew; none for levels, as storage", examples=["{day: 1}"]
    )
    daily_variation: float = Field(
        DAILY_VARIATION, ge=0, le=3, strict=False, description="How much days differ from their mean", examples=[0.5]
    )


class QuotasSettings(Grammar):
    """One plan: a provider's account, or a service of it."""

    quotas: tuple[Quota, ...] = Field(strict=False, examples=["[{name: connections, limit: 100, read: {…}}]"])
    reuse: Seconds = Field(60.0, description="How old figures may be: providers count calls, too", examples=["1m"])

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if troubles := list(self._troubles()):
            # Each at its own place in the file: pydantic takes such an error's places over.
            details = [InitErrorDetails(type=what, loc=place, input=None) for place, what in troubles]
            raise ValidationError.from_exception_data("quotas", details)
        return self

    def _troubles(self) -> Iterator[_Trouble]:
        if not self.quotas:
            yield (
                ("quotas",),
                mistake("SLO006", "the plan has no quota", "write quotas: [{name: …, limit: …, read: …}]"),
            )
        names: set[str] = set()
        for index, quota in enumerate(self.quotas):
            if quota.name in names:
                yield (
                    ("quotas", index, "name"),
                    mistake("SLO015", f"{quota.name} is named twice", "give it another name"),
                )
            names.add(quota.name)
            query = quota.read.prometheus.query if quota.read.prometheus else ""
            if "$period" in query and quota.period is None:
                yield (
                    ("quotas", index, "read"),
                    mistake(
                        "SLO006", "$period stands in the query of a quota without a period", "write period: {day: 1}"
                    ),
                )
            if quota.read.redis is not None:
                for (key,), trouble in quota.read.redis.troubles_of_address():
                    yield ("quotas", index, "read", "redis", key), trouble
