"""Metrics made of logs: warnings and errors by service, level and the fingerprint of their message."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import orjson
from prometheus_client.metrics_core import CounterMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from sereno_backends.logs.ecs import lookup
from sereno_backends.logs.fingerprint import MOST_CHARACTERS, MOST_TYPE_CHARACTERS, Fingerprint, fingerprint

from sereno_collectors.logs.model import Document

LOUD_LEVELS: Final = ("warning", "error", "critical")
OTHER: Final = "_other"
"""The fingerprint under which is counted what has no series of its own, and the service likewise."""
MOST_SERVICES = 200
MOST_FINGERPRINTS = 50
"""Of one service; each has one series for each level that it comes with, and one with its template."""
IDLE_SECONDS = 3600.0
"""A fingerprint that did not come for so long makes room for a new one."""
NEW_MESSAGES_PER_SECOND = 1_000
"""That are fingerprinted; in a flood of ever new messages the rest is `_other`, so that collecting keeps its speed."""
REMEMBERED_MESSAGES = 4_096

# Of lines that are neither warnings nor errors a few bytes are looked at. Within a text a quote is escaped: no message
# looks like this.
_INFO: Final = b'"log.level":"info"'
_INFO_AT: Final = len('{"@timestamp":"2026-11-25T12:00:00.007Z",')
"""Where the level stands in lines of Sereno's telemetry: one comparison for most lines there are."""
_LEVEL: Final = b'"log.level":"'
_QUIET: Final = (b'info"', b'debug"')


@dataclass(slots=True)
class _Kind:
    """One fingerprint of a service."""

    fingerprint: Fingerprint
    error_type: str
    seen_at: float
    counts: dict[str, int] = field(default_factory=dict)
    """By level."""


@dataclass(slots=True)
class _Service:
    kinds: dict[str, _Kind] = field(default_factory=dict)
    other: dict[str, int] = field(default_factory=dict)
    """By level."""


class MessageMetrics(Collector):
    """Counts documents that are warnings or worse; the number of series is bounded.

    `observe` and `collect` may be called by different threads.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        most_services: int = MOST_SERVICES,
        most_fingerprints: int = MOST_FINGERPRINTS,
        new_messages_per_second: int = NEW_MESSAGES_PER_SECOND,
    ) -> None:
        self._monotonic = monotonic
        self._most_services = most_services
        self._most_fingerprints = most_fingerprints
        self._new_messages_per_second = new_messages_per_second
        self._second = 0.0
        self._left = new_messages_per_second
        self._known: dict[tuple[str, str], Fingerprint] = {}
        self._services: dict[str, _Service] = {}
        self._lock = Lock()

    def observe(self, documents: Sequence[Document]) -> None:
        """Count those of the documents that are warnings or worse."""
        loud = [document for document in documents if not document[2].startswith(_INFO, _INFO_AT)]
        loud = [one for one in loud if not _is_quiet(one[2])]
        if not loud:
            return
        now = self._monotonic()
        if now - self._second >= 1:
            self._second, self._left = now, self._new_messages_per_second
        with self._lock:
            for document in loud:
                self._count(document, now)

    def collect(self) -> Iterable[Metric]:
        """The counters, and what each fingerprint stands for."""
        messages = CounterMetricFamily(
            "sereno_log_messages",
            "Log events of the levels warning, error and critical, when they were read; messages beyond the bounds are "
            "_other.",
            labels=["service", "level", "fingerprint"],
        )
        kinds = InfoMetricFamily(
            "sereno_log_fingerprint",
            "What the messages of a fingerprint have in common.",
            labels=["service", "fingerprint"],
        )
        with self._lock:
            for service, found in self._services.items():
                for level, count in found.other.items():
                    messages.add_metric([service, level, OTHER], count)
                for identity, kind in found.kinds.items():
                    for level, count in kind.counts.items():
                        messages.add_metric([service, level, identity], count)
                    about = {"template": kind.fingerprint.template, "error_type": kind.error_type}
                    kinds.add_metric([service, identity], about)
        return messages, kinds

    def _count(self, document: Document, now: float) -> None:
        fields = orjson.loads(document.body)
        level = lookup(fields, "log.level")
        if level not in LOUD_LEVELS:
            return
        name = document.service if document.service in self._services or self._has_room() else OTHER
        service = self._services.setdefault(name, _Service())
        error_type = lookup(fields, "error.type")
        error_type = error_type[:MOST_TYPE_CHARACTERS] if isinstance(error_type, str) else ""
        kind = self._kind(service, lookup(fields, "message"), error_type, now)
        counts = service.other if kind is None else kind.counts
        counts[level] = counts.get(level, 0) + 1

    def _has_room(self) -> bool:
        return len(self._services) < self._most_services

    def _kind(self, service: _Service, message: object, error_type: str, now: float) -> _Kind | None:
        """The kind that a message belongs to; None where it has no series of its own."""
        found = self._fingerprint(message if isinstance(message, str) else "", error_type)
        if found is None:
            return None
        kind = service.kinds.get(found.identity)
        if kind is None:
            if len(service.kinds) >= self._most_fingerprints and not _made_room(service, now):
                return None
            kind = service.kinds[found.identity] = _Kind(found, error_type, now)
        kind.seen_at = now
        return kind

    def _fingerprint(self, message: str, error_type: str) -> Fingerprint | None:
        key = message[: MOST_CHARACTERS + 1], error_type
        known = self._known.get(key)
        if known is None and self._left > 0:
            self._left -= 1
            if len(self._known) >= REMEMBERED_MESSAGES:
                self._known.clear()
            known = self._known[key] = fingerprint(key[0], error_type)
        return known


def _is_quiet(body: bytes) -> bool:
    """Whether a dotted level says so; of a nested one nothing is known here."""
    at = body.find(_LEVEL)
    return at >= 0 and body.startswith(_QUIET, at + len(_LEVEL))


def _made_room(service: _Service, now: float) -> bool:
    """Forget the kind that was idle for longest, if that was long enough."""
    identity, kind = min(service.kinds.items(), key=lambda item: item[1].seen_at)
    if now - kind.seen_at < IDLE_SECONDS:
        return False
    del service.kinds[identity]
    return True
