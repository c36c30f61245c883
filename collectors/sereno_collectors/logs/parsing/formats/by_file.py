"""Which form the lines of each file are asked to have."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePath

from sereno_collectors.logs.model import Format


@dataclass(frozen=True, slots=True)
class Formats:
    """The form of everything, and of the files that patterns name."""

    default: Format = Format.AUTO
    by_file: tuple[tuple[str, Format], ...] = ()
    """Patterns as a shell has them: one with a slash is of absolute paths, one without is of names of files."""

    def of(self, path: str) -> Format:
        """The form of a file's lines; the last pattern that fits counts."""
        name = PurePath(path).name
        fitting = (form for pattern, form in self.by_file if fnmatchcase(path if "/" in pattern else name, pattern))
        return next(reversed(tuple(fitting)), self.default)
