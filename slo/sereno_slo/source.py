"""A spec's text and where it came from."""

from dataclasses import dataclass
from pathlib import Path

from sereno_slo.diagnostics import Diagnostic, Span


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file's path as the user gave it, and its text."""

    path: str
    text: str
    origin: str = ""
    """How generated files name it, if otherwise: by a path that doesn't depend on where the compiler was called."""
    places: tuple[Span, ...] = ()
    """Of a text that was converted from another format: where each of its lines comes from."""


def may_be_foreign(text: str) -> bool:
    """Whether the text may be in another tool's format (sereno_slo.convert): a quick look, which every spec gets."""
    return "prometheus/v1" in text or "openslo/v1" in text or "pyrra.dev/v1" in text or "sloth.slok.dev/v1" in text


def read_source(path: Path, *, origin: str = "") -> SourceFile | Diagnostic:
    """The file's text, or what is wrong with the file."""
    span = Span(path.as_posix())
    try:
        return SourceFile(path.as_posix(), path.read_text(encoding="utf-8"), origin)
    except FileNotFoundError:
        return Diagnostic("SLO040", span, "there is no such file", "check the path")
    except UnicodeDecodeError as error:
        return Diagnostic("SLO001", span, f"byte {error.start} is not UTF-8", "save the file as UTF-8")
    except OSError as error:
        return Diagnostic("SLO001", span, f"the file can't be read: {error.strerror}", "check its type and permissions")
