"""The compiled rules of three services and their journey, evaluated on what scrapes saw of the users."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sereno_slo import Settings, SourceFile, compile_specs
from sereno_slo.render.artefact import Kind

from benchmarks.journeys.users import Counts, Seen
from benchmarks.simulation import (
    MINUTE,
    SECOND,
    Interval,
    Plan,
    RuleGroup,
    Run,
    Series,
    Server,
    evaluate,
    read_rule_groups,
    results,
    write,
)

_BEGIN = 1_600_000_200_000
_WANTED = ("sereno:events:delta1m", "sereno:bad_events:delta1m")
_BAD_MINUTE = 0.05
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Figures:
    """The journey's error ratio, by the ledger and by others' ways to combine steps."""

    truth: float
    ledger: float
    minutes: float
    """The product of single minutes instead of five, or of an hour where few come."""
    highest: float
    """The worst step of each five minutes: the least that is possible where failures fall together."""
    slices: float
    """The part of the minutes in which more than 5 % of a step's events failed."""

    def error(self, figure: float) -> float:
        """Relative to the truth."""
        return figure / self.truth - 1


def judge(server: Server, seen: Seen) -> Figures:
    """Write the steps' counters, evaluate, and compare."""
    services = [f"step-{next(_NUMBERS)}" for _ in seen.events]
    minutes = seen.events.shape[1] // 2
    for service, events, bad_events in zip(services, seen.events, seen.bad_events, strict=True):
        write(server, _exposed(service, events, bad_events))
    groups = rules_of(services)
    # Each group at a second of the minute of its own, as in Prometheus.
    phases = {group.name: (1 + 7 * number) % 60 * SECOND for number, group in enumerate(groups)}
    evaluate(server, groups, Plan(Interval(_BEGIN, _BEGIN + minutes * MINUTE), phases, wanted=_WANTED))
    counted = {name: _sum(server, f'{name}{{service="{services[0]}", slo="through"}}', minutes) for name in _WANTED}
    return Figures(
        truth=seen.error_ratio,
        ledger=counted["sereno:bad_events:delta1m"] / counted["sereno:events:delta1m"],
        minutes=_by_single_minutes(seen),
        highest=_highest(seen),
        slices=_slices(seen),
    )


def rules_of(services: list[str]) -> tuple[RuleGroup, ...]:
    """What the services' specs compile to; the first describes the journey, too."""
    steps = ", ".join(f"{service}/calls" for service in services)
    journey = f"journeys:\n  - {{name: through, objective: 99, steps: [{steps}]}}\n"
    sources = [
        SourceFile(f"{service}.slo.yaml", _spec(service) + (journey if service == services[0] else ""))
        for service in services
    ]
    compilation = compile_specs(sources, Settings())
    rules = (artefact.content for artefact in compilation.artefacts if artefact.kind is Kind.RULES)
    return tuple(group for text in rules for group in read_rule_groups(text))


def _spec(service: str) -> str:
    indicator = f"{{ratio: {{metric: calls_total, match: 'job=\"{service}\"', bad: 'code=\"500\"'}}}}"
    return (
        f"version: sereno/v1\nservice: {service}\nowner: team\nslos:\n"
        f"  - name: calls\n    objective: 99\n    indicator: {indicator}\n"
    )


def _exposed(service: str, events: Counts, bad_events: Counts) -> Iterator[Series]:
    """Counters of one old process, scraped every 30 s; both series are there from the beginning."""
    times_ms = _BEGIN + 30 * SECOND * np.arange(1, len(events) + 1, dtype=np.int64)
    target = {"job": service, "instance": "one"}
    yield Series({"__name__": "up", **target}, times_ms, np.ones(len(events)))
    started = np.full(len(events), _BEGIN / 1000 - 86_400)
    yield Series({"__name__": "process_start_time_seconds", **target}, times_ms, started)
    for code, counts in (("200", events - bad_events), ("500", bad_events)):
        labels = {"__name__": "calls_total", "code": code, **target}
        yield Series(labels, times_ms, 1000 + np.cumsum(counts))


def _sum(server: Server, series: str, minutes: int) -> float:
    end = _BEGIN + minutes * MINUTE
    found = results(server, f"sum_over_time({series}[{minutes}m])", Run(end, end, MINUTE))
    ((_, values),) = found.values()
    return float(values[0])


def _by_single_minutes(seen: Seen) -> float:
    events, bad_events = (_by(2, counts) for counts in (seen.events, seen.bad_events))
    through = np.prod(1 - bad_events / np.maximum(events, 1), axis=0)
    return float((events[0] * (1 - through)).sum() / events[0].sum())


def _highest(seen: Seen) -> float:
    """By five minutes, weighted with the first step's events."""
    events, bad_events = (_by(10, counts) for counts in (seen.events, seen.bad_events))
    ratios = bad_events / np.maximum(events, 1)
    return float((events[0] * ratios.max(axis=0)).sum() / events[0].sum())


def _slices(seen: Seen) -> float:
    events, bad_events = (_by(2, counts) for counts in (seen.events, seen.bad_events))
    is_seen = (events > 0).any(axis=0)
    is_bad = (bad_events > _BAD_MINUTE * events).any(axis=0)
    return float((is_bad & is_seen).sum() / is_seen.sum())


def _by(scrapes: int, counts: Counts) -> Counts:
    whole = counts[:, : counts.shape[1] // scrapes * scrapes]
    summed: Counts = whole.reshape(len(counts), -1, scrapes).sum(axis=2)
    return summed
