"""Entries and alerts of journeys on a real Prometheus, from what their steps recorded."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from support.slo_specs import compiled, rules_of, spec_text

from benchmarks.simulation import (
    MINUTE,
    SECOND,
    AlertingRule,
    Interval,
    Plan,
    Run,
    Series,
    Server,
    evaluate,
    evaluation_runs,
    read_rule_groups,
    results,
    write,
)

ASKED = re.compile(r'{{ with query "([^{]*(?:{[^{][^}]*}[^{]*)*)" }}\nFailures by step over (\w+):')
BEGIN = 1_700_569_800_000
_NUMBERS = itertools.count()
Values = NDArray[np.float64]


class Travelled:
    """A journey of two steps, whose records are written; evaluated at seconds of the minute of its own."""

    def __init__(
        self, server: Server, steps: Sequence[Mapping[str, Values]], *, steps_at: int = 0, at: int = 0
    ) -> None:
        number = next(_NUMBERS)
        self.services = [f"journey-{number}-{step}" for step in range(len(steps))]
        self.minutes = len(steps[0]["events:delta1m"])
        self._server, self._phase = server, at
        for service, records in zip(self.services, steps, strict=True):
            write(server, self._recorded(service, records, steps_at))
        passed = ", ".join(f"{service}/calls" for service in self.services)
        spec = (
            spec_text(spec="tier: critical\n")
            + f"journeys:\n  - {{name: pay-{number}, objective: 99, steps: [{passed}]}}\n"
        )
        self.name = f"pay-{number}"
        self.rules = rules_of(compiled(spec, are_all=False)).content
        groups = read_rule_groups(self.rules)
        self.group = next(group for group in groups if group.name == f"sereno:api:{self.name}:1m")
        self.plan = Plan(Interval(BEGIN, BEGIN + self.minutes * MINUTE), {self.group.name: at})
        evaluate(server, [self.group], self.plan)

    def _recorded(self, service: str, records: Mapping[str, Values], phase: int) -> Iterator[Series]:
        for name, values in records.items():
            times = BEGIN + phase + MINUTE * np.arange(len(values), dtype=np.int64)
            known = ~np.isnan(values)
            labels = {"__name__": f"sereno:{name}", "service": service, "slo": "calls"}
            yield Series(labels, times[known], values[known])

    def entries(self, name: str) -> list[float | None]:
        """What was recorded at each evaluation; None where nothing was."""
        first = BEGIN + self._phase
        run = Run(first, first + (self.minutes - 1) * MINUTE, MINUTE)
        series = f'last_over_time(sereno:{name}:delta1m{{service="api", slo="{self.name}"}}[1s])'
        found = results(self._server, series, run)
        values: dict[int, float] = {}
        for times, recorded in found.values():
            values |= dict(zip(times.tolist(), recorded.tolist(), strict=True))
        return [values.get(int(time)) for time in run.times_ms()]

    def alerts(self, alert: str, **labels: str) -> dict[int, set[str]]:
        """The minutes at which such a rule's condition holds, with the steps that it names."""
        rules = [rule for rule in self.group.rules if isinstance(rule, AlertingRule) and rule.alert == alert]
        chosen = [rule for rule in rules if labels.items() <= dict(rule.labels).items()]
        minutes: dict[int, set[str]] = {}
        for rule, run in itertools.product(chosen, evaluation_runs(self.group, self.plan)):
            for found, (times, _) in results(self._server, rule.expr, run).items():
                for time in times.tolist():
                    minutes.setdefault((time - BEGIN) // MINUTE, set()).add(dict(found).get("step", ""))
        return minutes


def _step(events: Values, ratio: Values | float, *, ratio_1h: float = 0.0, events_5m: float = 100) -> dict[str, Values]:
    size = len(events)
    return {
        "events:delta1m": events,
        "coverage:delta1m": np.full(size, 1.0),
        "events:5m": np.full(size, float(events_5m)),
        "error_ratio:5m": np.broadcast_to(np.asarray(ratio, dtype=np.float64), (size,)),
        "error_ratio:1h": np.full(size, ratio_1h),
    }


def _flat(minutes: int = 30, events: float = 100) -> Values:
    return np.full(minutes, float(events))


@pytest.mark.parametrize(("steps_at", "at"), [(0, 0), (0, 30), (59, 0), (30, 29), (29, 30)])
def test_every_entry_of_the_first_step_counts_once(engine: Server, steps_at: int, at: int) -> None:
    """At whatever seconds of the minute the groups are evaluated: a minute or two late, none left out, none twice."""
    events = np.arange(1.0, 31)
    journey = Travelled(engine, [_step(events, 0), _step(_flat(), 0)], steps_at=steps_at * SECOND, at=at * SECOND)
    seen = [entry for entry in journey.entries("events") if entry is not None]
    assert seen == list(events[: len(seen)])
    assert len(seen) in (28, 29)


def test_bad_are_those_that_do_not_get_through_all_steps(engine: Server) -> None:
    """Of 100 a minute a tenth fails at the first step, and half of the rest at the second."""
    journey = Travelled(engine, [_step(_flat(), 0.1), _step(_flat(events=7), 0.5)])
    assert journey.entries("bad_events")[5:] == pytest.approx([55.0] * 25)


def test_hardly_any_events_are_judged_by_an_hour(engine: Server) -> None:
    """Fewer than five in five minutes; five, as time slices have, are enough. More bad events than events are all."""
    few, five = (_step(_flat(events=1), 1, ratio_1h=0.2, events_5m=count) for count in (4, 5))
    assert Travelled(engine, [_step(_flat(), 0), few]).entries("bad_events")[5:] == pytest.approx([20.0] * 25)
    assert Travelled(engine, [_step(_flat(), 0), five]).entries("bad_events")[5:] == pytest.approx([100.0] * 25)
    assert Travelled(engine, [_step(_flat(), 0.5), _step(_flat(), 1.5)]).entries("bad_events")[5] == 100


def test_a_step_without_data_makes_the_minute_unknown(engine: Server) -> None:
    """Neither good nor bad; coverage is that of the least seen step, and a ticket names the one that is missing."""
    unseen = np.where((np.arange(40) >= 10) & (np.arange(40) < 30), np.nan, 0.0)
    gone = {name: values + unseen for name, values in _step(_flat(40), 0).items()}
    gone["coverage:delta1m"] = gone["coverage:delta1m"] / 2
    journey = Travelled(engine, [_step(_flat(40), 0.1), gone])
    for name, value in (("events", 100.0), ("bad_events", pytest.approx(10)), ("coverage", 0.5)):
        entries = journey.entries(name)
        assert entries[5:11] == [value] * 6, name
        assert entries[12:31] == [None] * 19, name
        assert entries[32:] == [value] * 8, name
    told = journey.alerts("SLONoData", severity="warning")
    assert set(told) == set(range(20, 30)), "ten minutes of patience, fifteen more until it fires"
    assert all(steps == {f"{journey.services[1]}/calls"} for steps in told.values())


def test_a_page_lists_the_steps_the_worst_first(engine: Server) -> None:
    """By the longest window up to the alert's that every SLO records, whatever the journey's own policy."""
    journey = Travelled(engine, [_step(_flat(), 0.1, ratio_1h=0.02), _step(_flat(), 0.3, ratio_1h=0.01)])
    (alerts,) = (group for group in yaml.safe_load(journey.rules)["groups"] if group["name"] == journey.group.name)
    asked = {}
    for rule in alerts["rules"]:
        for query, window in re.findall(ASKED, rule.get("annotations", {}).get("description", "")):
            asked[window] = engine.query(query.replace('\\"', '"'), BEGIN + 20 * MINUTE)["result"]
    first, second = journey.services
    assert [one["metric"]["service"] for one in asked["5m"]] == [second, first]
    assert [one["metric"]["service"] for one in asked["1h"]] == [first, second]
    assert set(asked) == {"5m", "1h", "6h", "1d", "3d"}


def _pages(service: str, minutes: range, **labels: str) -> Series:
    times = BEGIN + MINUTE * np.array(minutes, dtype=np.int64)
    alert = {"__name__": "ALERTS", "alertname": "SLOErrorBudgetBurn", "alertstate": "firing", "severity": "critical"}
    return Series(alert | {"service": service, "slo": "calls"} | labels, times, np.ones(len(times)))


def test_a_journey_pages_where_no_step_does(engine: Server) -> None:
    """While a step pages, and a quarter of an hour after it, the journey is silent; a group's page explains nothing."""
    steps = [_step(_flat(60), 0.4), _step(_flat(60), 0.4)]
    calm = Travelled(engine, steps)
    assert set(calm.alerts("SLOErrorBudgetBurn", burn="outage")) == set(range(1, 60)), "64 of 100 don't get through"
    journey = Travelled(engine, steps)
    write(
        engine, [_pages(journey.services[1], range(10, 20)), _pages(journey.services[0], range(45, 60), grouped_by="x")]
    )
    silent = set(range(60)) - set(journey.alerts("SLOErrorBudgetBurn", burn="outage"))
    assert set(range(10, 34)) <= silent <= {0, *range(10, 35)}
