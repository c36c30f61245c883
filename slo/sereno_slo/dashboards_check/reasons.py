"""`empty-is-good.yaml`: panels that may be empty, each with the reason that reviewers read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sereno_backends.grafana import Dashboard

from sereno_slo.diagnostics import Diagnostic, Span, in_reading_order
from sereno_slo.parse import parse_as
from sereno_slo.parse.words import mistake
from sereno_slo.source import SourceFile


def _version(text: Any) -> Any:
    if text != "sereno/v1":
        raise mistake("SLO010", f"version {text!r} is not known", "write version: sereno/v1")
    return text


def _reason(text: Any) -> Any:
    if isinstance(text, str) and not text.strip():
        raise mistake("SLO006", "a reason says something", "write why these panels may be empty")
    return text


class _Mapping(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Entry(_Mapping):
    dashboard: str = Field(description="Its uid; `*` stands for any characters", examples=["sereno_logs"])
    panels: list[str] = Field(min_length=1, description="Their titles; `*` as above", examples=["[Dead letters]"])
    reason: Annotated[str, BeforeValidator(_reason)] = Field(
        description="Why that is good", examples=["there is no series before the first one"]
    )


class _File(_Mapping):
    version: Annotated[str, BeforeValidator(_version)] = Field(examples=["sereno/v1"])
    empty: list[_Entry] = Field(description="What may be empty", examples=["[]"])


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why panels may be empty."""

    path: str
    by_panel: dict[tuple[str, str], str]
    """By the dashboard's uid and the panel's title, either with `*` for any characters."""

    def of(self, dashboard: Dashboard, title: str) -> str | None:
        """Why this panel may be empty; None where there is no reason. What is written in full goes before patterns."""
        exact = self.by_panel.get((dashboard.uid, title))
        wide = (why for (uid, panel), why in self.by_panel.items() if fits(uid, dashboard.uid) and fits(panel, title))
        return exact or next(wide, None)


NO_REASONS = Reasons("", {})


@dataclass(frozen=True, slots=True)
class ReadReasons:
    """A file, or the mistakes in it."""

    reasons: Reasons | None
    diagnostics: tuple[Diagnostic, ...]


def read_reasons(source: SourceFile) -> ReadReasons:
    """The reasons of a file; every mistake at once."""
    parsed = parse_as(source, _File)
    if parsed.document is None:
        return ReadReasons(None, in_reading_order(parsed.diagnostics))
    entries = [(entry.dashboard, title, entry.reason) for entry in parsed.document.empty for title in entry.panels]
    by_panel = {(uid, title): reason for uid, title, reason in entries}
    return ReadReasons(Reasons(source.path, by_panel), tuple(parsed.diagnostics))


def without_panel(reasons: Reasons, dashboards: Sequence[Dashboard], *, are_all: bool = True) -> Iterator[Diagnostic]:
    """Reasons for panels that these dashboards don't have any more; those of other dashboards aren't known.

    Unless the dashboards `are_all` of the repository, nothing is said of a pattern: another one may have the panel.
    """
    for uid, title in reasons.by_panel:
        if "*" in uid and not are_all:
            continue
        meant = [board for board in dashboards if fits(uid, board.uid)]
        if meant and not any(fits(title, panel.title) for board in meant for panel in board.data_panels):
            message = f"the dashboard {uid} has no panel {title!r}"
            yield Diagnostic("SLO006", Span(reasons.path), message, "take the reason out, or write the panel's title")


def fits(pattern: str, text: str) -> bool:
    """Whether a uid or a title is meant by what a reason says: `*` stands for any characters, nothing else does."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
