"""What of the emitted lines and webhooks is on disk: read from the files, without any of the product's code."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson

Line = tuple[str, int]
"""`service.node.name` and `event.sequence`."""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of things that have a name each."""

    emitted: int
    stored: int
    set_aside: int
    """In the file of dead letters."""
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    torn: int = 0
    """Lines that a kill cut in two: their first half has no name, and what is left of it is stored as text."""

    @property
    def good(self) -> bool:
        """Everything is there, and once."""
        return not self.lost and not self.twice


def account_of_lines(logs: Iterable[Path], store: Path, dead_letters: Path) -> Account:
    """Every whole line of these files, which nobody rotates, beside the log store and the dead letters."""
    emitted: Counter[Line] = Counter()
    torn = 0
    for path in logs:
        for text in path.read_bytes().split(b"\n"):
            line = _line(text)
            if line is not None:
                emitted[line] += 1
            elif text:
                torn += 1
    stored = Counter(line for line in map(_line, _documents(store)) if line is not None)
    aside = _set_aside(dead_letters)
    found = stored + aside
    return Account(
        emitted.total(),
        stored.total(),
        aside.total(),
        tuple(f"{node} {number}" for node, number in sorted(emitted - found)),
        tuple(f"{node} {number}" for node, number in sorted(found - emitted)),
        torn,
    )


def _line(text: bytes | str) -> Line | None:
    try:
        document = orjson.loads(text)
        return str(document["service.node.name"]), int(document["event.sequence"])
    except (ValueError, KeyError, TypeError):
        return None


def _documents(store: Path) -> list[str]:
    with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        return [text for (text,) in connection.execute("SELECT document FROM record")]


def _set_aside(path: Path) -> Counter[Line]:
    if not path.exists():
        return Counter()
    letters = (orjson.loads(text) for text in path.read_bytes().splitlines())
    lines = (_line(str(letter.get("event.original") or letter.get("line") or "")) for letter in letters)
    return Counter(line for line in lines if line is not None)


def account_of_webhooks(answered: Sequence[int], store: Path) -> Account:
    """Deliveries that were answered 200 beside those that are stored; none that wasn't sent may be there."""
    with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        kept = Counter(text for (text,) in connection.execute("SELECT delivery_id FROM delivery"))
        events = Counter(text for (text,) in connection.execute("SELECT event_id FROM event"))
        expected = {f"delivery-{number}" for number in answered}
        whole = sum(5 if number % 3 == 0 else 1 for number in answered)  # a push tells of five commits
    lost = sorted(expected - set(kept))
    lost += [f"{whole - events.total()} events"] if events.total() < whole else []
    twice = [text for text, times in (*kept.items(), *events.items()) if times > 1]
    twice += [f"{events.total() - whole} events"] if events.total() > whole else []
    return Account(len(answered), kept.total(), 0, tuple(lost), tuple(twice))
