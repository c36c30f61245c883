"""Incidents are a pure function of the set of deliveries."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from sereno_backends.incidents import AlertStatus, Incident, IncidentStatus
from sereno_postmortems.fold import fold, incident_slug, starts_by_slug
from sereno_postmortems.naming import INCIDENT_ID
from sereno_postmortems.webhook import Delivery, read_delivery
from support.incidents import PAGE, SLO, TICKET, at, reported, webhook


def delivery(alerts: Sequence[Mapping[str, Any]], received_at: datetime, **changes: Any) -> Delivery:
    """What the receiver makes of a body."""
    read = read_delivery(json.dumps(webhook(alerts, **changes)).encode(), received_at)
    assert isinstance(read, Delivery), read
    return read


def ids(incidents: Sequence[Incident]) -> list[str]:
    """The ids, by opening time."""
    return [incident.incident_id for incident in incidents]


def test_page_and_ticket_of_one_slo_are_one_incident() -> None:
    """Whatever route brought them, alerts of one service and SLO that overlap make one incident, from first to last."""
    incidents = fold(
        [
            delivery([reported(TICKET, at(10, 5))], at(10, 6), groupKey="tickets", receiver="mail"),
            delivery([reported(PAGE, at(10, 1))], at(10, 2), groupKey="pages"),
            delivery([reported(PAGE, at(10, 1), at(10, 20))], at(10, 21), groupKey="pages"),
            delivery([reported(TICKET, at(10, 5), at(10, 40))], at(10, 41), groupKey="tickets", receiver="mail"),
        ]
    )
    (incident,) = incidents
    assert incident.incident_id == "2026-11-22-transactions-api-availability"
    assert (incident.opened_at, incident.resolved_at) == (at(10, 1), at(10, 40))
    assert (incident.service, incident.slo) == ("transactions-api", "availability")
    assert [alert.severity for alert in incident.alerts] == ["critical", "warning"]
    assert incident.severity == "critical"
    assert [(told.received_at, told.status, told.receiver) for told in incident.notifications] == [
        (at(10, 2), AlertStatus.FIRING, "incidents"),
        (at(10, 6), AlertStatus.FIRING, "mail"),
        (at(10, 21), AlertStatus.RESOLVED, "incidents"),
        (at(10, 41), AlertStatus.RESOLVED, "mail"),
    ]


def test_open_until_every_alert_is_resolved() -> None:
    """One alert that still fires keeps the incident open."""
    (incident,) = fold([delivery([reported(PAGE, at(10), at(10, 9)), reported(TICKET, at(10, 1))], at(10, 10))])
    assert (incident.status, incident.resolved_at) == (IncidentStatus.OPEN, None)
    assert [alert.status for alert in incident.alerts] == [AlertStatus.RESOLVED, AlertStatus.FIRING]
    assert incident.notifications[0].firing == (incident.alerts[1].fingerprint,)
    assert incident.notifications[0].resolved == (incident.alerts[0].fingerprint,)


def test_firing_after_the_resolution_is_a_new_incident() -> None:
    """A later start after everything ended opens the next incident, numbered within the day."""
    incidents = fold(
        [
            delivery([reported(PAGE, at(10), at(10, 20))], at(10, 21)),
            delivery([reported(PAGE, at(12))], at(12, 1)),
            delivery([reported(PAGE, at(12), at(12, 5))], at(12, 6)),
            delivery([reported(PAGE, at(23, 59))], at(23, 59, 30)),
        ]
    )
    base = "2026-11-22-transactions-api-availability"
    assert ids(incidents) == [base, f"{base}-2", f"{base}-3"]
    assert [incident.status for incident in incidents] == ["resolved", "resolved", "open"]


def test_the_same_start_rejoins_its_incident() -> None:
    """A firing report with fingerprint and start of an ended alert is a late one: no new incident, nothing reopened."""
    told = [
        delivery([reported(PAGE, at(10), at(10, 20))], at(10, 21)),
        delivery([reported(PAGE, at(10))], at(10, 50)),
    ]
    (incident,) = fold(told)
    assert (incident.status, incident.resolved_at) == (IncidentStatus.RESOLVED, at(10, 20))
    assert len(incident.notifications) == 2


def test_a_repetition_is_no_second_notification() -> None:
    """The same content received again later leaves the record as it was, the time of the first receipt included."""
    first = delivery([reported(PAGE, at(10))], at(10, 1))
    other = delivery([reported(PAGE, at(10)), reported(TICKET, at(10, 1))], at(10, 2))
    again = delivery([reported(PAGE, at(10))], at(14, 1))
    assert fold([again, other, first]) == fold([first, other])


def test_a_delivery_that_knows_younger_things_reopens() -> None:
    """Firing again with the same start, in a delivery that provably was made after the end, is no late report."""
    ended = delivery([reported(PAGE, at(10), at(10, 20))], at(10, 21))
    again = delivery([reported(PAGE, at(10)), reported(TICKET, at(10, 30))], at(10, 31))
    (incident,) = fold([ended, again])
    assert incident.status is IncidentStatus.OPEN
    over = delivery([reported(PAGE, at(10), at(10, 40)), reported(TICKET, at(10, 30), at(10, 45))], at(10, 46))
    (incident,) = fold([over, again, ended])
    assert (incident.resolved_at, incident.alerts[0].ends_at) == (at(10, 45), at(10, 40))


def test_an_end_that_nobody_reported_follows_from_the_next_start() -> None:
    """An alert that begins anew had ended before: a lost resolution neither stays open for ever nor joins incidents."""
    lost, later = fold(
        [
            delivery([reported(PAGE, at(10))], at(10, 1)),
            delivery([reported(PAGE, at(21), at(21, 30))], at(21, 31)),
        ]
    )
    assert (lost.status, later.resolved_at) == (IncidentStatus.RESOLVED, at(21, 30))
    assert lost.resolved_at is not None
    assert at(20, 59) < lost.resolved_at < at(21)


def test_an_alert_that_begins_as_another_ends_belongs_together() -> None:
    """Tiers of one burn that take over from each other in the same evaluation are one incident."""
    (incident,) = fold(
        [
            delivery([reported(PAGE, at(10), at(10, 20))], at(10, 21)),
            delivery([reported(TICKET, at(10, 20), at(11))], at(11, 1)),
        ]
    )
    assert (incident.opened_at, incident.resolved_at) == (at(10), at(11))


def test_the_watchdog_is_no_incident() -> None:
    """The alert that always fires opens nothing, alone or beside others."""
    watchdog = reported({"alertname": "Watchdog", "severity": "none"}, at(1))
    assert fold([delivery([watchdog], at(1, 1))]) == ()
    (incident,) = fold([delivery([watchdog, reported(PAGE, at(10))], at(10, 1))])
    assert [alert.name for alert in incident.alerts] == ["SLOErrorBudgetBurn"]


def test_alerts_without_slo_go_by_their_group() -> None:
    """An alert of somebody else's rules belongs to Alertmanager's group, or to its name if there is no grouping."""
    labels = {"alertname": "HostDown", "instance": "db<blue>"}
    (grouped,) = fold([delivery([reported(labels, at(10))], at(10, 1), groupLabels={"instance": "db<blue>"})])
    assert (grouped.incident_id, grouped.service) == ("2026-11-22-db-blue", "")
    (alone,) = fold([delivery([reported(labels, at(10))], at(10, 1), groupLabels={})])
    assert alone.incident_id == "2026-11-22-hostdown"


def test_names_that_look_alike_get_different_ids() -> None:
    """Labels that make the same words are different incidents with different ids."""
    alike = [{"service": "a-b", "slo": "c"}, {"service": "a", "slo": "b/c"}, {"service": "a-b", "slo": "c-2"}]
    incidents = fold(
        [delivery([reported({**PAGE, **labels}, at(10, minute))], at(11)) for minute, labels in enumerate(alike)]
    )
    assert ids(incidents) == ["2026-11-22-a-b-c", "2026-11-22-a-b-c-2", "2026-11-22-a-b-c-2-1"]


def test_annotations_are_those_of_the_page() -> None:
    """The record keeps the words that were first sent, not those of a later repetition."""
    first = reported(PAGE, at(10), annotations={"summary": "burning 14 times"})
    later = reported(PAGE, at(10), at(10, 9), annotations={"summary": "burning 2 times"})
    (incident,) = fold([delivery([later], at(10, 10)), delivery([first], at(10, 1))])
    assert incident.alerts[0].annotations == {"summary": "burning 14 times"}


# --- properties over arbitrary histories -------------------------------------------------------------------------

LABELS = [PAGE, TICKET, {**PAGE, "slo": "latency"}, {**PAGE, "slo": "latency-2"}, {"alertname": "HostDown"}]


@st.composite
def alerts(draw: st.DrawFn) -> dict[str, Any]:
    """An alert that fires or has ended within two days."""
    starts_at = at(0) + timedelta(minutes=draw(st.integers(0, 40)) * 60)
    length = draw(st.none() | st.integers(0, 5).map(lambda hours: timedelta(hours=hours)))
    return reported(draw(st.sampled_from(LABELS)), starts_at, None if length is None else starts_at + length)


@st.composite
def histories(draw: st.DrawFn) -> list[Delivery]:
    """Deliveries that may contradict each other in every way."""
    bodies = draw(st.lists(st.lists(alerts(), min_size=1, max_size=3), min_size=1, max_size=8))
    return [delivery(body, at(12) + timedelta(minutes=minute)) for minute, body in enumerate(bodies)]


@given(histories().flatmap(lambda told: st.tuples(st.just(told), st.permutations(told + told[::2]))))
def test_order_and_repetition_of_deliveries_change_nothing(drawn: tuple[list[Delivery], list[Delivery]]) -> None:
    """Any permutation, with any deliveries repeated, folds to the same incidents."""
    told, shuffled = drawn
    assert fold(shuffled) == fold(told)


@given(histories().flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_order_of_arrival_changes_no_fact(drawn: tuple[list[Delivery], list[Delivery]]) -> None:
    """Even if each body arrives at another's time, ids, alerts, openings and resolutions are the same."""
    told, shuffled = drawn
    assume(len({one.content_hash for one in told}) == len(told))
    late = [delivery_at(body, time.received_at) for body, time in zip(shuffled, told, strict=True)]

    def facts(incidents: Sequence[Incident]) -> list[object]:
        return [(i.incident_id, i.group_labels, i.opened_at, i.resolved_at, i.alerts) for i in incidents]

    assert facts(fold(late)) == facts(fold(told))


def delivery_at(body: Delivery, received_at: datetime) -> Delivery:
    """The same content, received at another time."""
    return Delivery(
        content_hash=body.content_hash,
        received_at=received_at,
        status=body.status,
        receiver=body.receiver,
        group_key=body.group_key,
        group_labels=body.group_labels,
        alerts=body.alerts,
        truncated_alerts=body.truncated_alerts,
    )


@given(histories())
def test_every_history_makes_sound_incidents(told: list[Delivery]) -> None:
    """Ids are unique and safe; a subject's incidents don't overlap; every alert and every delivery is in a record."""
    incidents = fold(told)
    assert len(set(ids(incidents))) == len(incidents)
    assert all(INCIDENT_ID.fullmatch(incident_id) for incident_id in ids(incidents))
    for incident in incidents:
        assert incident.opened_at == min(alert.starts_at for alert in incident.alerts)
        assert (incident.resolved_at is None) == any(alert.ends_at is None for alert in incident.alerts)
    for labels in {tuple(incident.group_labels.items()) for incident in incidents}:
        same = [incident for incident in incidents if tuple(incident.group_labels.items()) == labels]
        for earlier, later in pairwise(same):
            assert earlier.resolved_at is not None
            assert earlier.resolved_at < later.opened_at
    keys = [(alert.fingerprint, alert.starts_at) for incident in incidents for alert in incident.alerts]
    reports = {(alert.fingerprint, alert.starts_at) for one in told for alert in one.alerts}
    assert sorted(keys) == sorted(reports)
    heard = {notification.received_at for incident in incidents for notification in incident.notifications}
    firsts = {one.content_hash: one.received_at for one in reversed(told)}
    assert heard == set(firsts.values())


@given(histories())
def test_a_slug_can_be_folded_alone(told: list[Delivery]) -> None:
    """Folding only the deliveries of one slug gives the same incidents of that slug as folding everything."""
    whole = fold(told)
    for slug in {slug for one in told for slug in starts_by_slug(one)}:
        alone = fold([one for one in told if slug in starts_by_slug(one)])
        assert [i for i in alone if incident_slug(i) == slug] == [i for i in whole if incident_slug(i) == slug]


def test_slo_labels_outrank_the_grouping() -> None:
    """Someone who groups by alertname still gets one incident a service and SLO."""
    (incident,) = fold([delivery([reported(PAGE, at(10))], at(10, 1), groupLabels={"alertname": "x"})])
    assert incident.group_labels == SLO
