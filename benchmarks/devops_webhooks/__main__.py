"""`python -m benchmarks.devops_webhooks`: deliveries a second beside the bare framework, and what a kill costs.

Exits 1 where a delivery is lost or there twice, or events differ from those of the undisturbed run.
"""

import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sereno_backends.devops import DevOpsQuery
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore

from benchmarks.devops_webhooks.deliveries import delivery, disturbed
from benchmarks.devops_webhooks.sending import send
from benchmarks.devops_webhooks.servers import PATH, echo, receiver, write_configuration

DELIVERIES = 3_000
ROUNDS = 5
SEEDS = (1, 2, 3)
KILLED_AFTER = 1_000


def throughput(folder: Path) -> tuple[list[float], list[float]]:
    """Deliveries a second of the echo and of the receiver, in turn, a fresh store each time."""
    deliveries = [delivery(number, PATH) for number in range(DELIVERIES)]
    rates: tuple[list[float], list[float]] = ([], [])
    configuration = write_configuration(folder)
    for number in range(ROUNDS):
        with echo() as port:
            answered, seconds = send(port, deliveries)
            rates[0].append(len(answered) / seconds)
        with receiver(configuration, folder / f"round-{number}.sqlite") as (_, port):
            answered, seconds = send(port, deliveries)
            rates[1].append(len(answered) / seconds)
        if len(answered) != DELIVERIES:
            raise RuntimeError(f"{DELIVERIES - len(answered)} deliveries weren't answered 200")
    return rates


def stored(path: Path) -> list[tuple[str, str, str]]:
    """What is on disk, as figures read it: nothing of when and by which delivery it came."""
    events = SqliteDevOpsEventStore(path).events(DevOpsQuery())
    return [(event.event_id, event.occurred_at.isoformat(), repr(event.subject)) for event in events]


def undisturbed(folder: Path) -> list[tuple[str, str, str]]:
    """The events of all deliveries, once each and in order."""
    path = folder / "in-order.sqlite"
    with receiver(write_configuration(folder), path) as (_, port):
        send(port, [delivery(number, PATH) for number in range(DELIVERIES)])
    return stored(path)


def killed(folder: Path, seed: int, wanted: list[tuple[str, str, str]]) -> tuple[int, int, int, bool]:
    """Deliveries answered before the kill; events lost, there twice, and whether all are those that are wanted."""
    configuration, path = write_configuration(folder), folder / f"killed-{seed}.sqlite"
    deliveries = disturbed(DELIVERIES, PATH, seed)
    with receiver(configuration, path) as (process, port):
        answered, _ = send(port, deliveries, lambda count: process.kill() if count == KILLED_AFTER else None)
        process.wait()
    told = {number: delivery(number, PATH) for number in answered}
    store = SqliteDevOpsEventStore(path)
    missing = sum(not _has(store, number) for number in told)
    with receiver(configuration, path) as (_, port):
        # As senders do: what wasn't answered comes again, in its place, and the rest after it.
        rest = Counter(answered)
        send(port, [one for one in deliveries if not rest.pop(one.number, 0)])
    found = stored(path)
    lost = missing + len(set(wanted) - set(found))
    return len(answered), lost, len(found) - len({event_id for event_id, _, _ in found}), found == wanted


def _has(store: SqliteDevOpsEventStore, number: int) -> bool:
    return store.knows("github", f"delivery-{number}")


def main() -> int:
    """Print both tables."""
    console = Console()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rates = throughput(folder)
        table = Table(
            "server", "deliveries a second", "of the echo", title=f"Median of {ROUNDS} rounds of {DELIVERIES:,}"
        )
        bare, own = (statistics.median(one) for one in rates)
        table.add_row("bare FastAPI: reads the body, sends it back", f"{bare:,.0f}", "100 %")
        table.add_row("receiver: verifies, translates, on disk", f"{own:,.0f}", f"{100 * own / bare:.0f} %")
        console.print(table)
        wanted = undisturbed(folder)
        outcomes = {seed: killed(folder, seed, wanted) for seed in SEEDS}
    title = f"{DELIVERIES:,} signed deliveries, 10 % twice, 5 % late and out of order, killed midway, sent again"
    table = Table("seed", "answered before", "lost", "twice", "events as undisturbed", title=title)
    for seed, (answered, lost, twice, is_same) in outcomes.items():
        table.add_row(str(seed), f"{answered:,}", str(lost), str(twice), "yes" if is_same else "NO")
    console.print(table)
    return 0 if all(not lost and not twice and same for _, lost, twice, same in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
