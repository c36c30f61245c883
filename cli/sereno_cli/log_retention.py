"""`logs.retention.yaml`: how long logs are kept, by dataset; every mistake with its place, code and cure."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from sereno_backends.logs.elasticsearch_units import bytes_of
from sereno_backends.logs.lifecycle.model import ROLLOVER_BYTES, Retention, Retentions
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.duration import Duration
from sereno_slo.parse import parse_as
from sereno_slo.parse.words import mistake, read_duration
from sereno_slo.source import read_source

EXAMPLE = """\
version: sereno/v1
default: {keep: 30d}
datasets:
  audit: {keep: 365d}
"""
_LEAST = Duration.parse("1h")
_LONGEST = Duration.parse("100y")
_DATASET = r"[a-z0-9_.]+"
_LEAST_BYTES = 1024**2


def _version(text: str) -> str:
    if text != "sereno/v1":
        raise mistake("SLO010", f"version {text!r} is not known", "write version: sereno/v1")
    return text


def _time(text: Any) -> Any:
    if isinstance(text, int | float) and not isinstance(text, bool):
        raise mistake("SLO014", f"{text} has no unit", f"add one: {text}d for days")
    if isinstance(text, str):
        found = read_duration(text)
        if not _LEAST <= found <= _LONGEST:
            raise mistake(
                "SLO014", f"{text!r} is shorter than an hour or longer than 100 years", "write for example 30d"
            )
    return text


def _size(text: Any) -> Any:
    if isinstance(text, int | float) and not isinstance(text, bool):
        raise mistake("SLO006", f"{text} has no unit", f"add one: {text}gb")
    if isinstance(text, str):
        found = bytes_of(re.sub(r"(?i)ib$", "b", text.replace(" ", "")))
        if found is None or found < _LEAST_BYTES:
            raise mistake("SLO006", f"{text!r} is no size of at least 1mb", "write for example 50gb")
    return text


def _datasets(names: Any) -> Any:
    for name in names if isinstance(names, dict) else ():
        if not re.fullmatch(_DATASET, name):
            better = re.sub(r"[^a-z0-9_.]+", "_", name.lower()) or "app"
            raise mistake(
                "SLO006",
                f"{name!r} is no dataset as its stream names it: a-z, 0-9, dots, underscores",
                f"write {better}",
            )
    return names


TimeText = Annotated[str, BeforeValidator(_time)]
SizeText = Annotated[str, BeforeValidator(_size)]


class _Mapping(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RetentionDocument(_Mapping):
    """The retention of one dataset."""

    keep: TimeText = Field(description="How long documents are kept", examples=["30d"])
    rollover_age: TimeText | None = Field(None, description="Age at which the next index is begun", examples=["1d"])
    rollover_size: SizeText | None = Field(
        None, description="Size of a primary shard at which the next index is begun", examples=["50gb"]
    )

    @model_validator(mode="after")
    def _ages_fit(self) -> Self:
        if self.rollover_age is not None and read_duration(self.rollover_age) > read_duration(self.keep):
            raise mistake(
                "SLO006",
                f"rollover_age {self.rollover_age} is longer than keep {self.keep}: only whole indices are deleted, "
                "so that data would live for more than twice as long",
                f"write at most {self.keep}",
            )
        return self


class RetentionsDocument(_Mapping):
    """`logs.retention.yaml`."""

    version: Annotated[str, AfterValidator(_version)] = Field(examples=["sereno/v1"])
    default: RetentionDocument = Field(description="Of all datasets that are not named", examples=["{keep: 30d}"])
    datasets: Annotated[dict[str, RetentionDocument], BeforeValidator(_datasets)] = Field(
        {}, description="By event.dataset", examples=["{audit: {keep: 365d}}"]
    )


def read_retentions(path: Path, namespace: str = "default") -> Retentions | tuple[Diagnostic, ...]:
    """The retentions of a file, or every mistake in it."""
    source = read_source(path)
    if isinstance(source, Diagnostic):
        return (source,)
    parsed = parse_as(source, RetentionsDocument)
    if parsed.document is None:
        return parsed.diagnostics
    datasets = {name: _retention(each) for name, each in parsed.document.datasets.items()}
    return Retentions(_retention(parsed.document.default), datasets, namespace)


def _retention(document: RetentionDocument) -> Retention:
    age, size = document.rollover_age, document.rollover_size
    return Retention(
        _timedelta(document.keep),
        None if age is None else _timedelta(age),
        ROLLOVER_BYTES if size is None else bytes_of(re.sub(r"(?i)ib$", "b", size.replace(" ", ""))) or ROLLOVER_BYTES,
    )


def _timedelta(text: str) -> timedelta:
    return timedelta(milliseconds=read_duration(text).milliseconds)
