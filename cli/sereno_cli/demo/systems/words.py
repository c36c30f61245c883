"""Words in a system's texts: `${files}`, `${redis.url}`, a program's own port `${api}`, another's `${gateway.api}`."""

from collections.abc import Iterable, Mapping
from string import Template

from sereno_cli.demo.backing import BACKINGS

PLACES = ("files", "logs", "buckets", "root", "prometheus", "secret")
"""Folders of a run (its own files, logs, histogram bounds, the repository), the address of Prometheus, a secret."""


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


def known_words(ports: Iterable[tuple[str, str]], of: str | None, needs: Iterable[str] = ()) -> frozenset[str]:
    """What may be said: places, servers, each program's ports by program and port, those of one by port alone."""
    named = tuple(ports)
    return frozenset(
        (
            *PLACES,
            *(f"{need}.{word}" for need in needs if need in BACKINGS for word in BACKINGS[need].words),
            *(f"{program}.{port}" for program, port in named),
            *(port for program, port in named if program == of),
        )
    )
