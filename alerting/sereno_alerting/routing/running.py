"""The cases tried, all in one Alertmanager: given alerts first, then those of the cases; then what became of them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sereno_alerting.routing import alertmanager
from sereno_alerting.routing.alertmanager import Refused, Running, Silent, alertmanager_program
from sereno_alerting.routing.model import Case, Labels, Observation
from sereno_alerting.routing.staging import SENTINEL, labels_of, receiver_of, route_of, staged, with_marks
from sereno_alerting.routing.tree import Configuration
from sereno_alerting.routing.webhook import Alert, Told, listening

__all__ = ["Refused", "Silent", "alertmanager_program", "observed"]

_PATIENCE_SECONDS = 20.0
_QUIET_SECONDS = 0.5
"""Groups are told by threads of their own: nothing that is told comes so long after the last one."""
_AT_ONCE = 500


def observed(program: str, configuration: Configuration, cases: Sequence[Case], now: datetime) -> list[Observation]:
    """What became of each case's alert.

    Raises:
        Refused: Alertmanager doesn't take the configuration.
        Silent: it doesn't answer in time.
        ValueError: a time interval is none that Alertmanager knows; the message says why.
    """
    alertmanager.check(Path(configuration.path))
    moments = sorted({case.at for case in cases if case.at is not None})
    with TemporaryDirectory(prefix="sereno-alerting-") as folder, listening() as told:
        document = staged(configuration, moments, now, told.url)
        with alertmanager.running(program, document, Path(folder)) as server:
            return _tried(server, told, configuration, cases, moments)


def _tried(
    server: Running, told: Told, configuration: Configuration, cases: Sequence[Case], moments: Sequence[datetime]
) -> list[Observation]:
    given = [with_marks(labels, case, number, moments) for number, case in enumerate(cases) for labels in case.given]
    own = [labels_of(case, number, moments) for number, case in enumerate(cases)]
    # Alertmanager's inhibitor takes alerts in their order: when it knows the last one, it knows all.
    _post(server, [*given, {SENTINEL: "source"}, {SENTINEL: "target"}])
    _wait_for(lambda: _is_inhibited(server, {SENTINEL: "target"}), "which alerts inhibit which")
    _post(server, [*own, {SENTINEL: "last"}])
    _wait_for(lambda: told.receivers(_alert({SENTINEL: "last"})), "whom Alertmanager tells")
    known = {_alert(found["labels"]): found for found in server.alerts()}
    by_fingerprint = {found["fingerprint"]: found["labels"] for found in known.values()}
    seen = [known.get(_alert(labels)) for labels in own]
    if None in seen:
        raise Silent("Alertmanager doesn't know an alert that it has taken")
    _wait_until_quiet(told, _certain(configuration, cases, [*zip(own, seen, strict=True)]))
    return [
        _observation(found, by_fingerprint, told.receivers(_alert(labels)))
        for labels, found in zip(own, seen, strict=True)
        if found
    ]


def _post(server: Running, alerts: Sequence[Labels]) -> None:
    start = datetime.now(UTC)
    end = start + timedelta(hours=1)
    posted = [{"labels": dict(labels), "startsAt": start.isoformat(), "endsAt": end.isoformat()} for labels in alerts]
    for first in range(0, len(posted), _AT_ONCE):
        server.post(posted[first : first + _AT_ONCE])


def _alert(labels: Labels) -> Alert:
    return frozenset(labels.items())


def _is_inhibited(server: Running, labels: Labels) -> bool:
    return any(found["labels"] == labels and _inhibitors(found) for found in server.alerts())


def _inhibitors(found: Mapping[str, Any]) -> list[str]:
    fingerprints: list[str] = found["status"]["inhibitedBy"]
    return fingerprints


def _wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise Silent(f"after {_PATIENCE_SECONDS:g} s nobody knows {what}")
        time.sleep(0.02)


def _certain(
    configuration: Configuration, cases: Sequence[Case], seen: Sequence[tuple[Labels, Mapping[str, Any] | None]]
) -> list[tuple[Alert, set[str]]]:
    """Who will surely be told of what: nothing inhibits it, and no time interval has a say."""
    timeless = {receiver_of(route.number) for route in configuration.routes if not route.intervals}
    found = []
    for case, (labels, alert) in zip(cases, seen, strict=True):
        if alert is not None and not _inhibitors(alert):
            receivers = {str(receiver["name"]) for receiver in alert["receivers"]}
            found.append((_alert(labels), receivers & timeless if case.at else receivers))
    return found


def _wait_until_quiet(told: Told, certain: Sequence[tuple[Alert, set[str]]]) -> None:
    """Until all that is certain is told, and then nobody for a while: what is muted never comes."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not all(receivers <= told.receivers(alert) for alert, receivers in certain) and time.monotonic() < deadline:
        time.sleep(0.02)
    count, since = -1, time.monotonic()
    while time.monotonic() - since < _QUIET_SECONDS:
        if told.deliveries != count:
            count, since = told.deliveries, time.monotonic()
        time.sleep(0.02)


def _observation(found: Mapping[str, Any], by_fingerprint: Mapping[str, Labels], told: set[str]) -> Observation:
    return Observation(
        frozenset(_routes(receiver["name"] for receiver in found["receivers"])),
        tuple(by_fingerprint[one] for one in _inhibitors(found) if one in by_fingerprint),
        frozenset(_routes(told)),
    )


def _routes(receivers: Any) -> Iterator[int]:
    return (number for receiver in receivers if (number := route_of(receiver)) is not None)
