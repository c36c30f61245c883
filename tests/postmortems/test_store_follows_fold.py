"""The store folds only what a delivery can touch, and its incidents are always those of folding everything."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sereno_postmortems.fold import fold
from sereno_postmortems.store import IncidentStore
from sereno_postmortems.webhook import Delivery, read_delivery
from support.incidents import PAGE, TICKET, at, reported, webhook

LABELS = [PAGE, TICKET, {**PAGE, "slo": "avail/ability"}, {**PAGE, "slo": "avail-ability"}, {**PAGE, "slo": "latency"}]


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A delivery of one to three alerts within a week, lasting nothing to three days."""
    alerts = []
    for _ in range(draw(st.integers(1, 3))):
        starts_at = at(0) + timedelta(hours=draw(st.integers(0, 14)) * 12 + draw(st.integers(0, 3)))
        hours = draw(st.none() | st.sampled_from([0, 1, 2, 12, 30, 72]))
        ends_at = None if hours is None else starts_at + timedelta(hours=hours)
        alerts.append(reported(draw(st.sampled_from(LABELS)), starts_at, ends_at))
    return webhook(alerts)


def two_subjects_of_one_name() -> list[dict[str, Any]]:
    """One lasts over a midnight while the other, of the same name in ids, ends before a new one begins."""
    first, second = LABELS[2], LABELS[3]
    return [
        webhook([reported(first, at(8), at(20))]),
        webhook([reported(second, at(10), at(11)), reported(second, at(12), at(13))]),
        webhook([reported(first, at(21))]),
    ]


@given(st.lists(bodies(), min_size=1, max_size=10))
@example(two_subjects_of_one_name())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_after_every_delivery_the_record_is_the_fold_of_all(told: Sequence[dict[str, Any]]) -> None:
    """Whatever comes in whatever order, incidents on record equal those of folding all deliveries so far."""
    with TemporaryDirectory() as directory:
        store = IncidentStore(Path(directory) / "i.sqlite")
        store.prepare()
        so_far: list[Delivery] = []
        with store.held_open():
            for minute, body in enumerate(told):
                raw = json.dumps(body).encode()
                delivery = read_delivery(raw, at(23) + timedelta(minutes=minute))
                assert isinstance(delivery, Delivery)
                so_far.append(delivery)
                store.record(delivery, raw)
                assert by_id(store.incidents()) == by_id(fold(so_far))


def by_id(incidents: Sequence[Any]) -> dict[str, Any]:
    """Incidents by their id."""
    return {incident.incident_id: incident for incident in incidents}
