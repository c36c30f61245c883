"""`python -m benchmarks.windows`: a table of evaluation times, one line for each kind of window."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sereno_slo import Settings, SourceFile, validate_specs
from sereno_slo.plan import RecordingRule, RuleGroup, plan_service

from benchmarks.simulation import DAY, MINUTE, Series, Server, running_prometheus, write

_AT = 1_793_664_000_000 + 20 * DAY
"""Late in November 2026: three weeks of a month, seven of a quarter, and clocks that have changed within both."""
_DAYS = 93
_TRIES = 5
_WEEKLY = 'weekly: {{day: sunday, from: "02:00", to: "03:00", timezone: {zone}}}'
_ONCE = 'once: {from: "2026-11-10T10:00:00Z", to: "2026-11-10T11:30:00Z"}'
_SPEC = """\
version: sereno/v1
service: shop
owner: web
tier: critical
slos:
  - name: calls
    objective: 99.9
    window: {window}
    indicator: {{ratio: {{metric: requests_total, match: 'job="shop"', bad: 'code=~"5.."'}}}}
exclusions: [{exclusions}]
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A window, and what is excluded from it."""

    name: str
    window: str = "30d"
    exclusions: tuple[str, ...] = ()

    def groups(self) -> tuple[RuleGroup, ...]:
        """The rules that a spec of this kind compiles to."""
        excluded = ", ".join(f"{{reason: x, author: y, {each}}}" for each in self.exclusions)
        text = _SPEC.format(window=self.window, exclusions=excluded)
        validation = validate_specs([SourceFile("benchmark", text)], Settings())
        (service,) = validation.services
        return plan_service(service, Settings()).groups


KINDS = (
    Kind("rolling, 30 days"),
    Kind("the same, one time excluded", exclusions=(_ONCE,)),
    Kind("the same, weekly in UTC", exclusions=(_WEEKLY.format(zone="UTC"),)),
    Kind("the same, weekly in Madrid", exclusions=(_WEEKLY.format(zone="Europe/Madrid"),)),
    Kind("the same, ten times excluded", exclusions=(_ONCE,) * 10),
    Kind("calendar month in Madrid", window="{calendar: month, timezone: Europe/Madrid}"),
    Kind("calendar quarter in Madrid", window="{calendar: quarter, timezone: Europe/Madrid}"),
    Kind(
        "month and weekly in Madrid",
        window="{calendar: month, timezone: Europe/Madrid}",
        exclusions=(_WEEKLY.format(zone="Europe/Madrid"),),
    ),
)


def main() -> None:
    """Measure and print."""
    table = Table("window", "every minute, ms", "every five minutes, ms", "of a core, for one SLO")
    with tempfile.TemporaryDirectory() as folder, running_prometheus(Path(folder)) as server:
        _write_past(server)
        for kind in KINDS:
            minute, slot = (_milliseconds(server, group) for group in kind.groups())
            share = minute / 60_000 + slot / 300_000
            table.add_row(kind.name, f"{minute:.0f}", f"{slot:.0f}", f"{share:.3%}")
    Console().print(table)


def _write_past(server: Server) -> None:
    labels = {"service": "shop", "slo": "calls"}
    slots = np.arange(_AT - _DAYS * DAY + 71_000, _AT, 5 * MINUTE, dtype=np.int64)
    minutes = np.arange(_AT - DAY + 17_000, _AT, MINUTE, dtype=np.int64)
    for name in ("events", "bad_events", "coverage"):
        write(server, [Series({"__name__": f"sereno:{name}:sum5m", **labels}, slots, np.ones(len(slots)))])
        write(server, [Series({"__name__": f"sereno:{name}:delta1m", **labels}, minutes, np.ones(len(minutes)))])
    write(server, [Series({"__name__": "sereno:ledger:evaluated5m", **labels}, slots, np.ones(len(slots)))])
    start = np.full(1, _AT / 1000 - 20 * 86_400)
    moment = np.array([_AT - MINUTE], dtype=np.int64)
    write(server, [Series({"__name__": "sereno:window_start:timestamp_seconds", **labels}, moment, start)])


def _milliseconds(server: Server, group: RuleGroup) -> float:
    """The sum over the group's recording rules, of each the shortest of some tries."""
    return sum(_shortest(server, str(rule.expr)) for rule in group.rules if isinstance(rule, RecordingRule))


def _shortest(server: Server, expr: str) -> float:
    times = []
    for _ in range(_TRIES):
        begin = time.perf_counter()
        server.query_range(expr, _AT, _AT, MINUTE)
        times.append(1000 * (time.perf_counter() - begin))
    return min(times)


if __name__ == "__main__":
    main()
