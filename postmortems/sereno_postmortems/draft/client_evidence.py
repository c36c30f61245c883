"""Who called, as far as log lines name a client: one that stands out speaks for an attack or a loop."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from sereno_backends.logs import LogQuery, LogRecord
from sereno_backends.logs.ecs import lookup

from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, derived2
from sereno_postmortems.draft.logs_source import Logs
from sereno_postmortems.draft.request_evidence import REFUSALS
from sereno_postmortems.draft.windows import Window, Windows

CLIENT_FIELDS = ("client.ip", "source.ip", "user.name")
"""The first that a line has names its client."""
MOST_LINES = 4_000
"""That are read of a window; of more, as many from each of `SLICES` equal parts of it."""
SLICES = 20
MOST_CLIENTS = 3


@dataclass(frozen=True, slots=True)
class Client:
    """One client's lines in the evidence window."""

    field: str
    who: str
    lines: int
    refused: int
    """Of them, those answered with one of `REFUSALS`."""
    usual_lines: int


@dataclass(frozen=True, slots=True)
class Clients:
    """What the lines of both windows say about clients."""

    total: int
    """Lines in the evidence window."""
    read: int
    """Of them, how many were looked at."""
    named: int
    """Of those, how many name a client."""
    usual_named: int
    distinct: int
    busiest: tuple[Client, ...]
    """At most `MOST_CLIENTS`."""


@dataclass(frozen=True, slots=True)
class _Sample:
    total: int
    records: tuple[LogRecord, ...]


def ask_clients(logs: Logs, services: tuple[str, ...], windows: Windows) -> Fact[Clients]:
    """Ask the log store."""
    during = _sample(logs, services, windows.evidence)
    usual = _sample(logs, services, windows.baseline)
    return derived2(_clients, during, usual)


def _clients(during: _Sample, usual: _Sample) -> Clients:
    lines, refused = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for record in during.records:
        client = _client(record.document)
        if client is not None:
            lines[client] += 1
            refused[client] += str(lookup(record.document, "http.response.status_code")) in REFUSALS
    before = Counter(filter(None, (_client(record.document) for record in usual.records)))
    return Clients(
        total=during.total,
        read=len(during.records),
        named=lines.total(),
        usual_named=before.total(),
        distinct=len(lines),
        busiest=tuple(
            Client(*client, lines=number, refused=refused[client], usual_lines=before[client])
            for client, number in sorted(lines.items(), key=lambda one: (-one[1], one[0]))[:MOST_CLIENTS]
        ),
    )


def _client(document: Mapping[str, Any]) -> tuple[str, str] | None:
    for field in CLIENT_FIELDS:
        value = lookup(document, field)
        if isinstance(value, str) and value and value != "-":
            return field, value
    return None


def _sample(logs: Logs, services: tuple[str, ...], window: Window) -> Fact[_Sample]:
    count = logs.count(LogQuery(start=window.start, end=window.end, services=services))
    if isinstance(count, NotMeasured):
        return count
    parts = [window] if count.value <= MOST_LINES else list(_slices(window))
    limit = MOST_LINES // len(parts)
    records: list[LogRecord] = []
    for part in parts:
        answer = logs.search(LogQuery(start=part.start, end=part.end, services=services, limit=limit))
        if isinstance(answer, NotMeasured):
            return answer
        records += answer.value
    how = "records" if len(parts) == 1 else f"the newest {limit} records of each of {SLICES} equal parts"
    asked = tuple(replace(question, text=f"{how}, for their clients") for question in count.sources)
    return Measured(_Sample(count.value, tuple(records)), asked)


def _slices(window: Window) -> Iterable[Window]:
    cuts = [window.start + window.length * number / SLICES for number in range(SLICES + 1)]
    return (Window(start, end) for start, end in pairwise(cuts))
