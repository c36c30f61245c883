"""A place where bytes of others come in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Broken(AssertionError):  # noqa: N818 - reads as what happened
    """A promise isn't kept for this input; the message says which."""


class Hang(BaseException):
    """A case takes too long; no `except Exception` on the way swallows it."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is fed, and what must hold for every input."""

    name: str
    promise: str
    """What is checked, in a line of the table."""
    seeds: tuple[bytes, ...]
    """Good inputs, which are damaged."""
    words: tuple[bytes, ...]
    """What means something to whoever reads the input."""
    check: Callable[[bytes], None]
    """Raises where the promise isn't kept."""


def require(holds: object, why: str) -> None:
    """Raise `Broken` where it doesn't hold."""
    if not holds:
        raise Broken(why)


def files(*patterns: str) -> tuple[bytes, ...]:
    """The contents of files of the repository, by patterns from its root; each pattern must find some."""
    found: list[bytes] = []
    for pattern in patterns:
        paths = sorted(path for path in ROOT.glob(pattern) if path.is_file())
        require(paths, f"nothing is called {pattern}")
        found += (path.read_bytes() for path in paths)
    return tuple(found)
