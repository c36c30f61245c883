"""What `exporters.yaml` says of quotas: what is granted, where its use is read, when it begins again."""

import re
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from sereno_exporters.frame.http import HttpSettings
from sereno_exporters.frame.words import FilePath, Grammar, Name, Seconds, mistake

_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BINARY = {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOST_QUOTAS = 200

Unit = Literal["commands", "requests", "bytes", "connections", "projects", "seconds", "items"]


def _amount(written: Any) -> Any:
    """`500000`, or `50GB`; a number in the model."""
    if isinstance(written, bool) or not isinstance(written, int | float | str):
        return written
    if isinstance(written, str):
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([KMGT]?i?B)", written, re.IGNORECASE)
        if found is None:
            raise mistake("SLO006", f"{written!r} is no amount", "write for example 500000, 50GB or 250MiB")
        return float(found[1]) * (_BYTES | _BINARY)[found[2].upper()]
    return float(written)


def _more_than_none(amount: float) -> float:
    if not 0 < amount < float("inf"):
        raise mistake("SLO006", f"a limit of {amount:g} grants nothing that could be used up", "write what is granted")
    return amount


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise mistake("SLO006", f"{name!r} is no time zone", "write for example UTC or Europe/Berlin") from error
    return name


Amount = Annotated[float, BeforeValidator(_amount), AfterValidator(_more_than_none)]
Zone = Annotated[str, AfterValidator(_zone)]


class Restart(Grammar):
    """When use counts from nothing again: exactly one of the three."""

    month_day: int | None = Field(None, ge=1, le=31, description="Day of the month", examples=[1])
    weekday: Literal[_WEEKDAYS] | None = Field(None, description="Each week", examples=["monday"])  # type: ignore[valid-type]
    daily: Literal[True] | None = Field(None, description="Each midnight", examples=["true"])
    time_zone: Zone = Field("UTC", description="Of the provider's midnight", examples=["UTC"])

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(one is not None for one in (self.month_day, self.weekday, self.daily)) != 1:
            raise mistake(
                "SLO006", "a period begins on one kind of day", "write month_day: 1, weekday: monday or daily: true"
            )
        return self

    @property
    def weekday_number(self) -> int:
        """0 is Monday."""
        return _WEEKDAYS.index(str(self.weekday))


class HttpUsage(HttpSettings):
    """A number in the JSON that an address answers."""

    path: str = Field("", description="Below the address", examples=["/v2/stats"])
    field: str = Field(description="Where in the answer, with dots between", examples=["data.monthly.commands"])

    @field_validator("path")
    @classmethod
    def _begins_with_slash(cls, path: str) -> str:
        if path and not path.startswith("/"):
            raise mistake("SLO006", f"path {path!r} doesn't begin with a slash", f"write /{path}")
        return path


class PrometheusUsage(HttpSettings):
    """What a Prometheus answers: one number."""

    query: str = Field(min_length=1, description="PromQL with one series", examples=["sum(redis_db_keys)"])


class RedisUsage(Grammar):
    """A field of Redis' INFO."""

    host: str = Field("127.0.0.1", examples=["127.0.0.1"])
    port: int = Field(6379, ge=1, le=65_535, examples=[6379])
    username_file: FilePath | None = None
    password_file: FilePath | None = None
    tls: bool = False
    ca_file: FilePath | None = None
    info: str = Field(description="Field of INFO", examples=["used_memory"])


class FileUsage(Grammar):
    """A number in a file that something else writes; too old, it is no answer."""

    path: FilePath = Field(description="File with one number", examples=["usage.txt"])
    max_age: Seconds = Field(86_400.0, description="Older than this it is not believed", examples=["1d"])


class Usage(Grammar):
    """Where use is read: exactly one of the four."""

    http: HttpUsage | None = None
    prometheus: PrometheusUsage | None = None
    redis: RedisUsage | None = None
    file: FileUsage | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(one is not None for one in (self.http, self.prometheus, self.redis, self.file)) != 1:
            raise mistake("SLO006", "use is read in one place", "write http, prometheus, redis or file")
        return self


class Quota(Grammar):
    """One thing that is limited."""

    name: Name = Field(description="What is limited", examples=["commands"])
    unit: Unit = Field(description="What is counted", examples=["commands"])
    limit: Amount = Field(description="How much is granted", examples=["500000"])
    usage: Usage = Field(description="Where its use is read", examples=["{http: {url: …, field: …}}"])
    scale: float = Field(1.0, gt=0, description="What a reading is multiplied with", examples=["1024"])
    restarts: Restart | None = Field(None, description="Left out: a level, as storage", examples=["{month_day: 1}"])


class QuotasSettings(Grammar):
    """One provider's plan."""

    quotas: tuple[Quota, ...] = Field(strict=False, max_length=_MOST_QUOTAS, examples=["[{name: …}]"])
    every: Seconds = Field(60.0, description="How often use is read at most", examples=["5m"])

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if not self.quotas:
            raise mistake("SLO006", "there are no quotas", "write one at least")
        names = [quota.name for quota in self.quotas]
        if twice := [name for name in names if names.count(name) > 1]:
            raise mistake("SLO006", f"two quotas are called {twice[0]}", "give each a name of its own")
        return self
