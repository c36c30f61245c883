"""What a server counted, how soon it paged and what it used, against what really happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.scale.rules import COPIES
from benchmarks.scale.traffic import Schedule
from benchmarks.simulation import Server

_ENTRIES = ("sereno:events:delta1m", "sereno:bad_events:delta1m")
_RUN = "20m"
_HALF_A_MINUTE, _SILENT_SECONDS = 30, 90
Entries = Mapping[tuple[str, float], float]
"""By SLO and moment of the evaluation."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of the copies of one SLO: the worst of their errors, which may have either sign, and their alerts' delays."""

    events_error: float
    ratio_error: float
    page_delays: tuple[float, ...]
    """Seconds from the incident's begin to the page, of the copies that paged."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a server's process used until it was asked."""

    cpu_seconds: float
    resident_mebibytes: float


def judge(server: Server, service: str, schedule: Schedule, began: float) -> Judgement:
    """The counts of the last hour, which holds the whole run, as its alerts and budget read them.

    Raises:
        ServerError: it doesn't answer.
    """
    now = began + schedule.end
    events = _by_slo(server, f'last_over_time(sereno:events:1h{{service="{service}"}}[3m])', now)
    bad = _by_slo(server, f'last_over_time(sereno:bad_events:1h{{service="{service}"}}[3m])', now)
    return judgement(
        [(events.get(slo, 0.0), bad.get(slo, 0.0)) for slo in _slos()], _pages(server, service, now), began, schedule
    )


def judge_merged(servers: tuple[Server, Server], service: str, schedule: Schedule, began: float) -> Judgement:
    """The first server's entries until it falls silent, then the second's, as a querier that merges sees them."""
    now = began + schedule.end
    found = [[_entries(server, name, service, now) for name in _ENTRIES] for server in servers]
    sums = []
    for slo in _slos():
        events, bad = (merged(found[0][kind], found[1][kind], slo) for kind in range(len(_ENTRIES)))
        sums.append((events, bad))
    pages = [_pages(server, service, now) for server in servers]
    first = {slo: min(one[slo] for one in pages if slo in one) for slo in {*pages[0], *pages[1]}}
    return judgement(sums, first, began, schedule)


def judgement(
    counted: Sequence[tuple[float, float]], pages: Mapping[str, float], began: float, schedule: Schedule
) -> Judgement:
    """Of events and bad events of each copy, and the moments of their pages."""
    events, bad = schedule.events(schedule.end), schedule.bad(schedule.end)
    return Judgement(
        max(((seen - events) / events for seen, _ in counted), key=abs),
        max((((wrong / seen if seen else 0.0) - bad / events) / (bad / events) for seen, wrong in counted), key=abs),
        tuple(sorted(at - began - schedule.incident.start for at in pages.values())),
    )


def usage(server: Server) -> Usage:
    """By the server's own metrics."""
    lines = server.http.get(f"{server.url}/metrics").text.splitlines()
    values = {name: float(value) for name, _, value in (line.partition(" ") for line in lines if line[0] != "#")}
    return Usage(values["process_cpu_seconds_total"], values["process_resident_memory_bytes"] / 2**20)


def _slos() -> list[str]:
    return [f"calls-{number}" for number in range(1, COPIES + 1)]


def _by_slo(server: Server, expr: str, at: float) -> dict[str, float]:
    result = server.query(expr, int(at * 1000))["result"]
    return {one["metric"]["slo"]: float(one["value"][1]) for one in result}


def _pages(server: Server, service: str, now: float) -> dict[str, float]:
    """When the first page of each SLO fired."""
    pages = f'ALERTS{{alertname="SLOErrorBudgetBurn",severity="critical",alertstate="firing",service="{service}"}}'
    first: dict[str, float] = {}
    for one in server.query(f"{pages}[{_RUN}]", int(now * 1000))["result"]:
        slo, at = one["metric"]["slo"], one["values"][0][0]
        first[slo] = min(at, first.get(slo, at))
    return first


def _entries(server: Server, name: str, service: str, now: float) -> Entries:
    found = server.query(f'{name}{{service="{service}"}}[{_RUN}]', int(now * 1000))["result"]
    return {(one["metric"]["slo"], round(at)): float(value) for one in found for at, value in one["values"]}


def merged(first: Entries, second: Entries, slo: str) -> float:
    """The sum of one SLO's entries, of the second from the first's gap on.

    Thanos and Mimir stay with the replica that they changed to. What the first catches up later isn't looked at.
    """
    times = sorted(at for name, at in first if name == slo)
    gap = next((one for one, following in pairwise(times) if following - one > _SILENT_SECONDS), times[-1])
    # The replicas' rules may run at other seconds: the entry that follows is the one after half a minute.
    of_first = sum(value for (name, at), value in first.items() if name == slo and at <= gap)
    return of_first + sum(value for (name, at), value in second.items() if name == slo and at > gap + _HALF_A_MINUTE)
