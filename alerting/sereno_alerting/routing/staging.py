"""The configuration that the real Alertmanager runs for the cases.

The same routes, rules and intervals, but every route tells us instead of people, and at once; and the cases don't see
each other:

- Each alert carries the number of its case, and each inhibition rule asks for the same one: `equal` says nothing new
  about two alerts of a case, and forbids those of two.
- Each moment has the whole tree of routes once, with the intervals moved to it; a moment's label leads there.
- Each route has a receiver of its own, so that Alertmanager itself tells which one an alert took.
- Every alert is a group of its own, so that none waits for another: what becomes of it doesn't depend on its group.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sereno_alerting.routing.grammar import OURS
from sereno_alerting.routing.intervals import moved
from sereno_alerting.routing.model import Case, Labels
from sereno_alerting.routing.tree import INTERVAL_KEYS, Configuration

CASE = f"{OURS}case"
MOMENT = f"{OURS}moment"
SENTINEL = f"{OURS}sentinel"
_AT_ONCE = {"group_by": ["..."], "group_wait": "0s", "group_interval": "1h", "repeat_interval": "1h"}
_YES = ("true", "yes", "on", "y")
_MATTERS_NOT = ("group_by", "group_wait", "group_interval", "repeat_interval")


def staged(configuration: Configuration, moments: Sequence[datetime], now: datetime, webhook: str) -> dict[str, Any]:
    """What Alertmanager reads: `moments` are those of the cases, `webhook` is told everything.

    Raises:
        ValueError: an interval is none that Alertmanager knows; the message says why.
    """
    numbers = range(len(moments) + 1)  # 0: whenever
    return {
        "route": {
            "receiver": SENTINEL,
            **_AT_ONCE,
            "routes": [
                {"receiver": SENTINEL, "matchers": [f'{SENTINEL}=~".+"']},
                *(_whole_tree(configuration, number) for number in numbers),
            ],
        },
        "inhibit_rules": [
            {
                "source_matchers": [f'{SENTINEL}="source"'],
                "target_matchers": [f'{SENTINEL}="target"'],
            },
            *({**rule.document, "equal": [*(rule.document.get("equal") or ()), CASE]} for rule in configuration.rules),
        ],
        "time_intervals": [
            {"name": _at(name, number), "time_intervals": [moved(one, moment, now) for one in intervals]}
            for number, moment in enumerate(moments, start=1)
            for name, intervals in configuration.interval_definitions()
        ],
        "receivers": [
            {"name": name, "webhook_configs": [{"url": webhook, "send_resolved": False}]}
            for name in (SENTINEL, *(receiver_of(route.number) for route in configuration.routes))
        ],
    }


def receiver_of(route: int) -> str:
    """The receiver of a route, by its number."""
    return f"{OURS}route_{route}"


def route_of(receiver: str) -> int | None:
    """The number of a receiver's route; None: it is the sentinel's."""
    number = receiver.removeprefix(f"{OURS}route_")
    return None if number == receiver else int(number)


def _whole_tree(configuration: Configuration, moment: int) -> dict[str, Any]:
    count = iter(range(len(configuration.routes)))
    tree = _route(configuration.document["route"], moment, count)
    return {**tree, "matchers": [f'{MOMENT}="{moment}"'], "continue": False}


def _route(route: Mapping[str, Any], moment: int, count: Any) -> dict[str, Any]:
    """The route with a receiver by its number, which counts as one reads."""
    kept = {key: value for key, value in route.items() if key not in (*_MATTERS_NOT, *INTERVAL_KEYS, "routes")}
    found = {**kept, "receiver": receiver_of(next(count))}
    if "continue" in route:  # `yes` is text in YAML 1.2, as we read it, and true in 1.1, as Alertmanager does
        found["continue"] = str(route["continue"]).lower() in _YES
    if moment:
        found |= {key: [_at(str(name), moment) for name in route[key]] for key in INTERVAL_KEYS if route.get(key)}
    return {**found, "routes": [_route(child, moment, count) for child in route.get("routes") or ()]}


def _at(interval: str, moment: int) -> str:
    return f"{interval} {OURS}{moment}"


def labels_of(case: Case, number: int, moments: Sequence[datetime]) -> dict[str, str]:
    """The labels of a case's alert as they are posted."""
    return with_marks(case.labels, case, number, moments)


def with_marks(labels: Labels, case: Case, number: int, moments: Sequence[datetime]) -> dict[str, str]:
    """Labels of an alert of a case, with what keeps cases apart."""
    moment = 0 if case.at is None else moments.index(case.at) + 1
    return {**labels, CASE: str(number), MOMENT: str(moment)}
