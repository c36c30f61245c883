"""Which files are postmortems, and what they say."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LARGEST_BYTES = 2 * 1024 * 1024
"""A postmortem of more is none: somebody named the wrong file."""


@dataclass(frozen=True, slots=True)
class Postmortem:
    """One file."""

    path: str
    """As it was named, for messages."""
    text: str


@dataclass(frozen=True, slots=True)
class NotReadable:
    """A file that is there and can't be read as text."""

    path: str
    reason: str
    cure: str
    line: int = 1


def find_postmortems(places: Iterable[Path]) -> tuple[Path, ...]:
    """The Markdown files that are named or lie below a named folder, each once, without README.md and templates.

    Raises:
        FileNotFoundError: a named place isn't there.
    """
    found: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            below = (path for path in place.rglob("*.md") if not _is_hidden(path.relative_to(place)))
            found |= dict.fromkeys(sorted(path for path in below if path.is_file()))
        elif place.exists():
            found[place] = None
        else:
            raise FileNotFoundError(str(place))
    return tuple(path for path in found if not _is_no_postmortem(path))


def read_postmortem(path: Path) -> Postmortem | NotReadable:
    """The file's text; line ends stay as they are."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return NotReadable(str(path), f"it has more than {LARGEST_BYTES >> 20} MiB", "name the right file")
        content = path.read_bytes()
    except OSError as error:
        return NotReadable(str(path), f"it can't be read: {error.strerror}", "make it readable, or name another")
    try:
        return Postmortem(str(path), content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return NotReadable(str(path), f"byte {error.start} is no UTF-8", "save the file as UTF-8", line)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _is_no_postmortem(path: Path) -> bool:
    return path.name.lower() == "readme.md" or "template" in path.name.lower()
