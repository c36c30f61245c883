"""Every alert that Alertmanager showed, beside the incidents that became of them."""

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from benchmarks.chaos.probes import SERVICE, Probe

TOLD_WITHIN_SECONDS = 30.0
"""What was active for so long has to be told, unless Alertmanager or the receiver was gone meanwhile."""
_POLL_SECONDS = 2.0
_CLOCK_SECONDS = 5.0
_UNTOLD = frozenset({"Watchdog"})


@dataclass(slots=True)
class Sighting:
    """An alert as Alertmanager showed it, active."""

    name: str
    first: float
    last: float


@dataclass(slots=True)
class Watch:
    """Looks at Alertmanager until it is told to end."""

    url: str
    receivers: frozenset[str]
    """Those that tell somebody."""
    seen: dict[str, Sighting] = field(default_factory=dict)
    """By fingerprint, and a number for each time of firing."""
    active: frozenset[str] = frozenset()
    """Fingerprints of those that were, when it answered last."""
    _end: threading.Event = field(default_factory=threading.Event)

    def start(self) -> threading.Thread:
        """Begin."""
        thread = threading.Thread(target=self._look, name="watch")
        thread.start()
        return thread

    def end(self) -> None:
        """Stop looking."""
        self._end.set()

    def _look(self) -> None:
        with httpx.Client(base_url=self.url, timeout=5.0, trust_env=False) as client:
            while not self._end.wait(_POLL_SECONDS):
                try:
                    answer = client.get("/api/v2/alerts", params={"inhibited": False, "silenced": False})
                    answer.raise_for_status()
                except httpx.HTTPError:
                    continue
                self._note([each for each in answer.json() if self._is_told(each)])

    def _is_told(self, alert: Mapping[str, Any]) -> bool:
        told = {receiver["name"] for receiver in alert["receivers"]} & self.receivers
        return bool(told) and alert["labels"]["alertname"] not in _UNTOLD and alert["status"]["state"] == "active"

    def _note(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        now = time.time()
        for alert in alerts:
            key = f"{alert['fingerprint']}@{alert['startsAt']}"
            labels = alert["labels"]
            name = f"{labels['alertname']} {labels.get('service', '')}/{labels.get('slo', '')}"
            self.seen.setdefault(key, Sighting(name, now, now)).last = now
        self.active = frozenset(alert["fingerprint"] for alert in alerts)


def telling_receivers(configuration: Path) -> frozenset[str]:
    """The receivers of alertmanager.yml that send something."""
    document = yaml.safe_load(configuration.read_text(encoding="utf-8"))
    return frozenset(receiver["name"] for receiver in document["receivers"] if len(receiver) > 1)


@dataclass(frozen=True, slots=True)
class Pages:
    """What became of the alerts."""

    fired: int
    """Times of firing that Alertmanager showed for long enough."""
    brief: int
    """Those that it showed more briefly: they may have been told."""
    incidents: int
    resolved: int
    lost: tuple[str, ...]
    endless: tuple[str, ...]
    """Incidents that are open although none of their alerts is active."""
    anew: int
    """Incidents of probes beyond one each: told anew by a Prometheus that had forgotten that it fires."""

    @property
    def good(self) -> bool:
        """Each has its incident, and each that is over its end."""
        return not self.lost and not self.endless


def judge_pages(
    seen: Mapping[str, Sighting],
    active: Collection[str],
    probes: Sequence[Probe],
    incidents: Sequence[Mapping[str, Any]],
) -> Pages:
    """Compare; call it when nothing is on its way any more."""
    on_record = list(_told(incidents))
    long_ones = {key: one for key, one in seen.items() if one.last - one.first >= TOLD_WITHIN_SECONDS}
    lost = [
        f"{sighting.name} ({key})"
        for key, sighting in long_ones.items()
        if not any(_is_it(key.partition("@")[0], sighting, told) for told in on_record)
    ]
    of_probes = [each["slo"] for each in incidents if each["service"] == SERVICE]
    lost += [f"{probe.name} never became an incident" for probe in probes if probe.name not in of_probes]
    open_ones = [each for each in incidents if each["status"] == "open"]
    endless = [
        str(each["incident_id"])
        for each in open_ones
        if not any(alert["fingerprint"] in active for alert in each["alerts"])
    ]
    return Pages(
        fired=len(long_ones),
        brief=len(seen) - len(long_ones),
        incidents=len(incidents),
        resolved=len(incidents) - len(open_ones),
        lost=tuple(lost),
        endless=tuple(endless),
        anew=len(of_probes) - len(set(of_probes)),
    )


def _told(incidents: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, float, float]]:
    for incident in incidents:
        for alert in incident["alerts"]:
            ended = alert["ends_at"]
            end = datetime.fromisoformat(ended).timestamp() if ended else float("inf")
            yield alert["fingerprint"], datetime.fromisoformat(alert["starts_at"]).timestamp(), end


def _is_it(fingerprint: str, sighting: Sighting, told: tuple[str, float, float]) -> bool:
    """Whether an incident's alert is one that was seen: the same, at the same time."""
    known, begun, ended = told
    return known == fingerprint and begun <= sighting.last and sighting.first <= ended + _CLOCK_SECONDS
