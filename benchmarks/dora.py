"""What DORA's figures cost an exporter, by the length of the history: `python -m benchmarks.dora [--events N …]`.

Stores of one organisation after a shorter and a longer time: twenty services, each deployed twice a day. Measured are
the first scrape, the scrape after one new event (commits, deployments and incidents in turn; the median of many), one
after none, and the memory that the history takes. It ends with 1 where a scrape after one new event costs much more
with the longest history than with the shortest. About a minute.
"""

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count, islice
from pathlib import Path

from sereno_backends.devops import (
    Commit,
    Delivery,
    Deployment,
    DevOpsEvent,
    IncidentAction,
    IncidentEvent,
    Provider,
    RunStatus,
    Subject,
    event_id_of,
)
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from sereno_exporters.dora.settings import DoraSettings
from sereno_exporters.dora.source import source_of
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Target

EVENTS = (10_000, 120_000)
SERVICES = 20
BETWEEN_DEPLOYMENTS = timedelta(hours=12)
SCRAPES = 60
MOST_GROWTH = 3.0
"""Of a scrape after one new event, from the shortest to the longest history: the windows fill up, to 2.5 times here."""
END = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def main() -> int:
    """Print the table; 1 where a scrape's cost grows with the history."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dora", description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=EVENTS, help="sizes of the stores")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(*_measured(arguments.one))
        return 0
    print(f"{'events':>9}{'first scrape':>16}{'after one event':>18}{'nothing new':>14}{'memory':>10}")
    after_one = []
    for number in arguments.events:
        first, one, nothing, mebibytes = _in_a_process_of_its_own(number)
        print(f"{number:>9,}{first:>13.2f} s {one * 1e3:>14.1f} ms {nothing * 1e3:>10.1f} ms {mebibytes:>6.0f} MiB")
        after_one.append(one)
    growth = after_one[-1] / after_one[0]
    print(f"a scrape after one new event: {growth:.1f} times as long with the last history as with the first")
    return 0 if growth <= MOST_GROWTH else 1


def _in_a_process_of_its_own(number: int) -> tuple[float, ...]:
    """Memory is a process' own: another store's mustn't be in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "devops.sqlite"
        store = SqliteDevOpsEventStore(path)
        store.prepare()
        told = islice(events(number // SERVICES), number)
        while portion := tuple(islice(told, 1_000)):
            store.record([_delivery(portion)])
        command = [sys.executable, "-m", "benchmarks.dora", "--one", str(path)]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return tuple(map(float, printed.split()))


def _measured(path: Path) -> tuple[float, float, float, float]:
    """Seconds of the first scrape, of one after a new event, of one after none, and memory in MiB."""
    before_bytes = _resident_bytes()
    (part,) = source_of(Target("main", DoraSettings(store=path), path.parent), lambda: END).parts
    store = SqliteDevOpsEventStore(path)

    def scrape() -> object:
        return list(part.families(part.fetch(Deadline.after(600.0))))

    first = _seconds(scrape)
    gc.collect()
    used_bytes = _resident_bytes() - before_bytes
    after_one = []
    for event in islice(_service(1, END - timedelta(days=1), timedelta(hours=2), first=1_000_000), SCRAPES):
        store.record([_delivery((event,))])
        after_one.append(_seconds(scrape))
    nothing = statistics.median(_seconds(scrape) for _ in range(5))
    return first, statistics.median(after_one), nothing, used_bytes / 2**20


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def events(of_each: int) -> Iterator[DevOpsEvent]:
    """So many of each service, one service after the other; all end at the same time."""
    *_, last = islice(_service(0, END, BETWEEN_DEPLOYMENTS), of_each)
    begin = END - timedelta(days=2) - (last.occurred_at - END)
    for service in range(SERVICES):
        yield from islice(_service(service, begin, BETWEEN_DEPLOYMENTS), of_each)


def _service(service: int, begin: datetime, between: timedelta, first: int = 0) -> Iterator[DevOpsEvent]:
    """Deployment after deployment, in the order of their times."""
    for number in count():
        yield from _deployment(service, first + number, begin + number * between)


def _deployment(service: int, number: int, at: datetime) -> Iterator[DevOpsEvent]:
    """A push of three commits, staging, production, and, every eighth time, an incident that names it or doesn't."""
    shas = [sha256(f"{service} {number} {each}".encode()).hexdigest()[:40] for each in range(3)]
    before = sha256(f"{service} {number - 1} 2".encode()).hexdigest()[:40]

    def told(minutes: float, subject: Subject) -> DevOpsEvent:
        moment, repository = at + timedelta(minutes=minutes), f"acme/service-{service}"
        return DevOpsEvent(
            event_id=event_id_of("github", repository, moment, subject),
            provider=Provider.GITHUB,
            source="github",
            delivery_id=f"{service}-{number}",
            occurred_at=moment,
            received_at=moment,
            repository=repository,
            service=f"service-{service}",
            subject=subject,
        )

    for position, sha in enumerate(shas):
        yield told(0, Commit(sha, at - timedelta(hours=position), "main", (), before, shas[-1], position))
    for minutes, environment in ((10, "staging"), (60, "production")):
        for status in (RunStatus.RUNNING, RunStatus.SUCCEEDED):
            deployment_id = f"{service}-{number}-{environment}"
            is_production, ended = environment == "production", status is RunStatus.SUCCEEDED
            yield told(
                minutes + 5 * ended,
                Deployment(deployment_id, environment, is_production, status, sha=shas[-1], branch="main"),
            )
    if number % 8 == 0:
        named = f"{service}-{number}-production" if number % 16 else None
        for minutes, action in ((80, IncidentAction.OPENED), (110, IncidentAction.RESOLVED)):
            yield told(minutes, IncidentEvent(f"{service}-{number}", action, "carts empty", deployment_id=named))


def _delivery(told: Sequence[DevOpsEvent]) -> Delivery:
    return Delivery(
        source="github",
        provider=Provider.GITHUB,
        delivery_id=told[0].event_id,
        content_hash=told[0].event_id,
        event_type="benchmark",
        received_at=told[0].received_at,
        body=b"{}",
        events=tuple(told),
    )


if __name__ == "__main__":
    sys.exit(main())
