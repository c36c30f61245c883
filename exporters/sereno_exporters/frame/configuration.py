"""`exporters.yaml`: which exporters run, and which targets each has. Targets have names; no URL comes from a query."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, create_model

from sereno_exporters.frame.model import ExporterKind, Target
from sereno_exporters.frame.words import Grammar, Name, Seconds, mistake

TIMEOUT_SECONDS = 8.0
"""Below Prometheus' own default of 10 s: a target that hangs is a metric then, not a failed scrape."""
SERIES_LIMIT = 10_000

EXAMPLE = """\
version: sereno/v1
exporters:
  rabbitmq:
    targets:
      orders: {url: "http://127.0.0.1:15672", username_file: rabbitmq.user, password_file: rabbitmq.password}
"""


@dataclass(frozen=True, slots=True)
class ConfiguredTarget:
    """A target with its kind and its limits."""

    kind: ExporterKind[Any]
    target: Target[Any]
    timeout_seconds: float
    series_limit: int


def _version(text: str) -> str:
    if text != "sereno/v1":
        raise mistake("SLO010", f"version {text!r} is not known", "write version: sereno/v1")
    return text


def _some_time(seconds: Any) -> Any:
    if isinstance(seconds, float) and not 0.1 <= seconds <= 300:  # noqa: PLR2004 - the message says them
        raise mistake("SLO014", f"a timeout of {seconds:g} s is no use", "write one between 100ms and 5m, as 8s")
    return seconds


Timeout = Annotated[Seconds, AfterValidator(_some_time)]


class _Section(Grammar):
    """What every exporter may say beside its targets."""

    timeout: Timeout = Field(TIMEOUT_SECONDS, description="How long one target may take in a scrape", examples=["8s"])
    series_limit: int = Field(
        SERIES_LIMIT, ge=1, le=1_000_000, description="Series that one target may serve", examples=[SERIES_LIMIT]
    )


def grammar_of(kinds: Sequence[ExporterKind[Any]]) -> type[BaseModel]:
    """The grammar of a configuration that may name these kinds."""
    sections: dict[str, Any] = {
        kind.name: (_section_of(kind) | None, Field(None, description=kind.summary)) for kind in kinds
    }
    exporters = create_model("Exporters", __base__=Grammar, **sections)
    return create_model(
        "ExportersDocument",
        __base__=Grammar,
        version=(Annotated[str, AfterValidator(_version)], Field(examples=["sereno/v1"])),
        exporters=(exporters, Field(description="By exporter", examples=["{rabbitmq: {targets: {…}}}"])),
    )


def _section_of(kind: ExporterKind[Any]) -> type[BaseModel]:
    targets = Annotated[dict[Name, kind.settings], Field(min_length=1)]  # type: ignore[name-defined]
    return create_model(f"{kind.name}_section", __base__=_Section, targets=(targets, Field(description="By name")))


def targets_of(document: BaseModel, kinds: Iterable[ExporterKind[Any]], folder: Path) -> tuple[ConfiguredTarget, ...]:
    """The targets of a configuration that was read with `grammar_of` these kinds; `folder` is the file's."""
    return tuple(_targets_of(document, kinds, folder))


def _targets_of(document: BaseModel, kinds: Iterable[ExporterKind[Any]], folder: Path) -> Iterator[ConfiguredTarget]:
    exporters = document.exporters  # type: ignore[attr-defined]
    for kind in kinds:
        section = getattr(exporters, kind.name)
        if section is None:
            continue
        for name, settings in section.targets.items():
            yield ConfiguredTarget(kind, Target(name, settings, folder), section.timeout, section.series_limit)
