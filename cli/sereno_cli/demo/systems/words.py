"""Words in a system's texts: `${files}`, a port of the program itself (`${api}`), of another (`${gateway.api}`)."""

from collections.abc import Iterable, Mapping
from string import Template

PLACES = ("files", "logs", "buckets", "root")
"""Folders of a run: the system's own files, logs, histogram bounds, the repository."""


class _Text(Template):
    idpattern = r"(?a:[a-z][a-z0-9_]*(?:[.-][a-z0-9_]+)*)"


def words_of(text: str) -> tuple[str, ...] | None:
    """The words of a text; None: a dollar sign begins no word."""
    if not _Text(text).is_valid():
        return None
    return tuple(_Text(text).get_identifiers())


def filled_in(text: str, values: Mapping[str, object]) -> str:
    """The text with its words said.

    Raises:
        KeyError: a word has no value.
    """
    return _Text(text).substitute(values)


def known_words(ports: Iterable[tuple[str, str]], of: str | None) -> frozenset[str]:
    """What may be said: places, every program's ports by program and port, those of one program by port alone."""
    named = tuple(ports)
    return frozenset(
        (
            *PLACES,
            *(f"{program}.{port}" for program, port in named),
            *(port for program, port in named if program == of),
        )
    )
