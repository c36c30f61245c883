"""Drafts of postmortems on demand: one is written at a time, whoever asks, and kept for a minute."""

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from sereno_backends.incidents import Incident
from sereno_backends.logs import LogStoreError, open_log_store
from sereno_postmortems.draft import (
    Logs,
    OwnTemplate,
    draw_charts,
    gather,
    open_logs,
    read_template,
    render_draft,
    render_own,
)

from sereno_portal.configuration import PortalConfiguration
from sereno_portal.gateway.evidence import evidence_of

KEPT_SECONDS = 60.0
FAILURE_SECONDS = 10.0
"""So long a failure answers for the sources: whoever was told to look again is told of it, too."""
MOST_KEPT = 20
WAIT_SECONDS = 8.0
"""How long a page waits; then it says that the draft is being written, and looks again."""
MOST_WAITING = 4
"""Who comes beyond these is told to look again at once: a crowd mustn't keep the threads that all pages need."""

Key: TypeAlias = tuple[str, int, datetime | None]


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as `sereno postmortem draft` would write it."""

    incident_id: str
    made_at: datetime
    text: str
    """Markdown; its pictures are named by the files of `charts`."""
    charts: Mapping[str, str]
    """File to SVG."""
    problems: tuple[str, ...]
    """Mistakes in the team's own template; then Sereno's was taken."""


class DraftDesk:
    """Safe for several threads.

    Args:
        make: writes one draft.
        monotonic: seconds.
    """

    def __init__(self, make: Callable[[Incident], Draft], monotonic: Callable[[], float]) -> None:
        self._make = make
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, tuple[float, Draft | BaseException]] = OrderedDict()
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._running: tuple[Key, Future[Draft | BaseException]] | None = None

    def draft(self, incident: Incident) -> Draft | None:
        """The draft of the incident as it stands; None while this one, or another one, is still being written.

        Raises:
            BaseException: what went wrong with this one.
        """
        key = incident.incident_id, len(incident.entries), incident.resolved_at
        with self._lock:
            kept = self._kept_for(key)
            if kept is not None:
                return _told(kept)
            if self._running is None:
                self._running = key, Future()
                threading.Thread(target=self._write, args=(incident, *self._running), daemon=True).start()
            running_key, running = self._running
        if not self._waiting.acquire(blocking=False):
            return None
        try:
            # Without taking the outcome: what goes wrong with another incident's draft isn't for this one.
            wait([running], timeout=WAIT_SECONDS)
        finally:
            self._waiting.release()
        return _told(running.result()) if running_key == key and running.done() else None

    def _kept_for(self, key: Key) -> Draft | BaseException | None:
        at, kept = self._kept.get(key, (float("-inf"), None))
        lasts = FAILURE_SECONDS if isinstance(kept, BaseException) else KEPT_SECONDS
        return kept if self._monotonic() - at < lasts else None

    def _write(self, incident: Incident, key: Key, future: "Future[Draft | BaseException]") -> None:
        outcome: Draft | BaseException
        try:
            outcome = self._make(incident)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
            outcome = error
        with self._lock:
            self._running = None
            self._kept[key] = self._monotonic(), outcome
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        future.set_result(outcome)


def _told(outcome: Draft | BaseException) -> Draft:
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def make_draft(configuration: PortalConfiguration, place: str, incident: Incident) -> Draft:
    """Ask all sources, which takes seconds; what doesn't answer is told in the draft."""
    now = configuration.clock()
    devops = configuration.devops_store
    with evidence_of(configuration.prometheus, now) as metrics, _logs(configuration, now) as logs:
        evidence = gather(
            incident,
            place,
            metrics,
            logs,
            now=now,
            progress=lambda _: None,
            overrides_file=configuration.root / "slo" / "overrides.jsonl",
            devops=None if devops is None else SqliteDevOpsEventStore(devops),
        )
    path = configuration.root / "postmortems" / "template.md.j2"
    form = read_template(path) if path.exists() else None
    text = render_own(form, evidence) if isinstance(form, OwnTemplate) else form
    problems = () if isinstance(text, str) or text is None else (str(text),)
    charts = {chart.file: chart.svg for chart in draw_charts(evidence)}
    return Draft(incident.incident_id, now, text if isinstance(text, str) else render_draft(evidence), charts, problems)


@contextlib.contextmanager
def _logs(configuration: PortalConfiguration, now: datetime) -> Iterator[Logs]:
    if configuration.log_store is None:
        yield open_logs(None, now)
        return
    try:
        store = open_log_store(configuration.log_store)
    except LogStoreError as error:
        yield Logs(None, str(error))
        return
    with contextlib.closing(store):
        yield open_logs(store, now, configuration.kibana)
