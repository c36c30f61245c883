"""PagerDuty's events become entries of the incident whose group they are about, in whatever order they come."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sereno_backends.incidents import EntryKind, EntrySource, Incident
from sereno_postmortems.deeds import with_deeds
from sereno_postmortems.fold import fold
from sereno_postmortems.pagerduty import Ignored, NotPagerDuty, PagerDutyEvent, entries_of, is_signed, read_event
from sereno_postmortems.webhook import Delivery, NotJson, read_delivery
from support.incidents import PAGE, at, reported, webhook
from support.pagerduty import SECRET, event, signed

GROUP_KEY = '{}/{severity="critical"}/{owner="payments"}:{service="transactions-api", slo="availability"}'
KEY = hashlib.sha256(GROUP_KEY.encode()).hexdigest()


def read(body: dict[str, Any]) -> PagerDutyEvent:
    """The event of a body that is one."""
    found = read_event(json.dumps(body).encode(), at(23))
    assert isinstance(found, PagerDutyEvent), found
    return found


def incidents(*times: tuple[datetime, datetime | None]) -> Sequence[Incident]:
    """Incidents of one group, opened and resolved then."""
    found: list[Delivery] = []
    for starts_at, ends_at in times:
        body = webhook([reported(PAGE, starts_at, ends_at)], groupKey=GROUP_KEY)
        delivery = read_delivery(json.dumps(body).encode(), starts_at + timedelta(seconds=10))
        assert isinstance(delivery, Delivery)
        found.append(delivery)
    return fold(found)


def test_what_people_do_in_pagerduty_is_in_the_record() -> None:
    """Who was called, who acknowledged when, what they noted, to whom they passed it on, and who closed it."""
    (incident,) = incidents((at(10), at(10, 40)))
    created_at = at(10, 0, 12)
    events = [
        event("triggered", created_at, key=KEY, agent=None, assignees=("Ana", "Ben")),
        event("acknowledged", at(10, 3), key=KEY, agent="Ana", created_at=created_at),
        event("annotated", at(10, 9), agent="Ana", content="the <b>stock</b> is slow"),
        event("reassigned", at(10, 15), key=KEY, agent="Ana", created_at=created_at, assignees=("Eve",)),
        event("resolved", at(10, 41), key=KEY, agent=None, created_at=created_at),
    ]
    entries = entries_of(incident, [read(one) for one in reversed(events)])
    assert [(one.kind, one.author, one.happened_at, one.text) for one in entries] == [
        (EntryKind.ASSIGNMENT, "PagerDuty", created_at, "called Ana, Ben"),
        (EntryKind.ACKNOWLEDGEMENT, "Ana", at(10, 3), ""),
        (EntryKind.NOTE, "Ana", at(10, 9), "the <b>stock</b> is slow"),
        (EntryKind.ASSIGNMENT, "Ana", at(10, 15), "reassigned to Eve"),
        (EntryKind.RESOLUTION, "PagerDuty", at(10, 41), ""),
    ]
    assert [one.people for one in entries if one.people] == [("Ana", "Ben"), ("Eve",)]
    assert [one.is_action for one in entries] == [False, True, True, False, False]
    assert {one.source for one in entries} == {EntrySource.PAGERDUTY}
    (known,) = with_deeds([incident], [], [read(one) for one in events])
    assert known.acknowledgement is not None
    assert known.acknowledgement.happened_at == at(10, 3)


def test_an_event_belongs_to_what_was_going_on_between_call_and_deed() -> None:
    """Of several incidents of one group each gets its own acknowledgement, and a note of the next day its old one."""
    morning, noon = incidents((at(8), at(8, 30)), (at(12), None))
    events = [
        event("acknowledged", at(8, 4), key=KEY, created_at=at(8, 0, 20), call="P1"),
        event("acknowledged", at(12, 5), key=KEY, created_at=at(12, 0, 20), call="P2"),
        event("resolved", at(8, 31), key=KEY, agent=None, created_at=at(8, 0, 20), call="P1"),
        event("annotated", at(13), content="about the morning", call="P1"),
    ]
    read_events = [read(one) for one in events]
    assert [one.kind for one in entries_of(morning, read_events)] == ["acknowledgement", "resolution", "note"]
    assert [one.happened_at for one in entries_of(noon, read_events)] == [at(12, 5)]
    assert entries_of(noon, [read(event("acknowledged", at(12, 5), key="0" * 64))]) == ()
    assert entries_of(noon, [read(event("annotated", at(12, 5), content="of an unknown call"))]) == ()


def test_other_events_are_taken_and_ignored() -> None:
    """PagerDuty's test and what the record doesn't take are no mistakes: else PagerDuty switches the webhook off."""
    for kind in ("pagey.ping", "incident.priority_updated", "service.updated"):
        assert read_event(json.dumps({"event": {"event_type": kind, "data": None}}).encode(), at(10)) == Ignored(kind)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"event": None},
        {"event": {"event_type": "incident.acknowledged"}},
        {"event": event("acknowledged", at(10))["event"] | {"occurred_at": "yesterday"}},
        {"event": event("acknowledged", at(10))["event"] | {"occurred_at": "0001-01-01T00:00:00Z"}},
        {"event": event("acknowledged", at(10))["event"] | {"id": ""}},
        {"event": event("acknowledged", at(10))["event"] | {"agent": "Ana"}},
        {"messages": [{"event": "incident.acknowledge"}]},
    ],
)
def test_what_is_no_event_is_told(body: Any) -> None:
    """Other shapes, the webhooks of version 2 among them, are refused with the places of what is wrong."""
    found = read_event(json.dumps(body).encode(), at(10))
    assert isinstance(found, NotPagerDuty)
    assert found.problems
    assert isinstance(read_event(b"\xff{", at(10)), NotJson)


def test_only_a_signature_of_a_known_secret_counts() -> None:
    """One of several signatures by one of several secrets is enough; anything else isn't, however it looks."""
    raw, headers = signed(event("acknowledged", at(10)), "another secret of theirs", SECRET)
    header = headers["x-pagerduty-signature"]
    assert is_signed(raw, header, ["an older secret of ours", SECRET])
    right = header.split(",")[1]
    assert is_signed(raw, f" {right} ", [SECRET])
    for wrong in ("", "v1=", right[:-1], right.replace("v1=", "v0="), right.removeprefix("v1="), "v1=\xfc\udcff"):
        assert not is_signed(raw, wrong, [SECRET]), wrong
    assert not is_signed(raw + b" ", header, [SECRET])
    assert not is_signed(raw, header, [])
    assert not is_signed(raw, ",".join(["v1=0"] * 16 + [right]), [SECRET])
