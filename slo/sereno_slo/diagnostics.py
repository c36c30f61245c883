"""A user's mistake as a value: where it is, which rule it breaks, what to write instead."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error stops the compilation; a warning is printed and the compilation goes on."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file; line and column count from 1. Line 0 means the file as a whole."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """`path:line:column`, which editors and terminals turn into a link."""
        return f"{self.path}:{max(self.line, 1)}:{max(self.column, 1)}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake. `code` is one of `sereno_slo.codes.CODES`; `hint` says what to write instead."""

    code: str
    span: Span
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """`slo/specs/x.slo.yaml:7:14: error[SLO012]: objective 0.999 is a ratio, … (write 99.9)`."""
        cure = f" ({self.hint})" if self.hint else ""
        return on_one_line(f"{self.span}: {self.severity}[{self.code}]: {self.message}{cure}")


def on_one_line(text: str) -> str:
    """The text with line feeds, terminal escapes and undecodable bytes of a user's file or path as visible escapes."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them stops the compilation."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)


def in_reading_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sorted as a person reads: file by file, top to bottom."""
    return tuple(sorted(diagnostics, key=lambda diagnostic: (diagnostic.span, diagnostic.code, diagnostic.message)))
