"""Ends that Alertmanager doesn't tell, because something of the same SLO inhibits the alert by then.

What comes is what a real Alertmanager (0.25) sent with the repository's inhibition rules, tried by hand: targets that
are gone are told, then requests fail, then the targets are back, then the requests are well.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import permutations
from typing import Any

from sereno_postmortems.fold import fold
from sereno_postmortems.webhook import Delivery, read_delivery
from support.incidents import PAGE, at, reported, webhook

GONE = {**PAGE, "alertname": "SLONoData"}


def delivery(alerts: Sequence[Mapping[str, Any]], received_at: datetime, **changes: Any) -> Delivery:
    """What the receiver makes of a body."""
    read = read_delivery(json.dumps(webhook(alerts, **changes)).encode(), received_at)
    assert isinstance(read, Delivery), read
    return read


TOLD = (
    delivery([reported(GONE, at(10, 0))], at(10, 1)),
    delivery([reported(PAGE, at(10, 10))], at(10, 11)),
    delivery([reported(PAGE, at(10, 10), at(10, 30))], at(10, 31)),
)


def test_the_groups_resolution_without_it_is_its_end() -> None:
    """Nothing stays open for ever, whatever the order of arrival."""
    for order in permutations(TOLD):
        (incident,) = fold(order)
        assert (incident.opened_at, incident.resolved_at) == (at(10, 0), at(10, 30))


def test_another_groups_resolution_says_nothing() -> None:
    """A ticket's group that ends is no news of the page's."""
    elsewhere = delivery([reported(PAGE, at(10, 10), at(10, 30))], at(10, 31), receiver="mail")
    (incident,) = fold([*TOLD[:2], elsewhere])
    assert incident.resolved_at is None


def test_what_goes_on_firing_is_told_and_stays_open() -> None:
    """A group that still has something firing isn't resolved; nor is what is told again afterwards."""
    still = delivery([reported(GONE, at(10, 0)), reported(PAGE, at(10, 10), at(10, 30))], at(10, 31))
    assert fold([*TOLD[:2], still])[0].resolved_at is None
    again = delivery([reported(GONE, at(10, 0)), reported({**PAGE, "burn": "slow"}, at(10, 40))], at(10, 41))
    assert fold([*TOLD, again])[0].resolved_at is None


def test_its_true_end_is_later() -> None:
    """Told in the end, because a silence was over: that counts."""
    late = delivery([reported(GONE, at(10, 0), at(11, 0))], at(11, 1))
    assert fold([*TOLD, late])[0].resolved_at == at(11, 0)


def test_a_delivery_that_left_alerts_out_says_nothing() -> None:
    """Webhooks may be limited to some alerts."""
    short = delivery([reported(PAGE, at(10, 10), at(10, 30))], at(10, 31), truncatedAlerts=3)
    assert fold([*TOLD[:2], short])[0].resolved_at is None
