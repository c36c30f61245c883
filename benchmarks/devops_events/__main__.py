"""`python -m benchmarks.devops_events [--deliveries N]`: what two nodes, doubles and a kill cost.

100,000 signed deliveries through two ingestion nodes, a tenth of them twice (half of those to both nodes at the same
moment), while one of the nodes is killed at half of them and started again at three quarters. It ends with 1 where a
delivery is lost or its event is there twice. The whole system runs, with all that watches it: about ten minutes.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psycopg
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table
from sereno_cli.demo import parts
from sereno_cli.demo.places import DemoError, find_clone
from sereno_cli.demo.world import World, running_world

from benchmarks.devops_events.sending import Sent, plan, send

NODES = ("devops-events-node-1", "devops-events-node-2")
KILLED = NODES[0]
_DRAINED_SECONDS = 900.0


def main(arguments: Sequence[str]) -> int:
    """Send them, and look what is stored; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.devops_events", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    try:
        with (
            TemporaryDirectory(prefix="sereno-devops-events-") as state,
            running_world(find_clone(Path.cwd()), Path(state), print, systems=["devops-events"]) as world,
        ):
            return _measured(world, given.deliveries, given.seed)
    except DemoError as error:
        sys.stderr.write(f"benchmarks.devops_events: {error}\n")
        return 1


def _measured(world: World, count: int, seed: int) -> int:
    (system,) = world.systems
    words = parts.words(world.run, system)
    secret = (Path(str(words["files"])) / "secrets" / "github").read_bytes().strip()
    begun = time.monotonic()

    def progress(answered: int) -> None:
        if answered == count // 2:
            world.supervisor.kill_part(KILLED)
            print(f"{answered:,} answered: {KILLED} is killed", flush=True)
        elif answered == 3 * count // 4:
            world.supervisor.start_part(KILLED)
            print(f"{answered:,} answered: {KILLED} is there again", flush=True)
        elif answered % 10_000 == 0:
            print(f"{answered:,} answered", flush=True)

    sent = send([world.addresses.url(f"{node}.api") for node in NODES], secret, plan(count, 0.1, seed), progress)
    sending_seconds = time.monotonic() - begun
    with psycopg.connect(str(words["postgresql.url"]), autocommit=True) as database:
        stored, events, different = _drained(database, count)
    seconds = time.monotonic() - begun
    at_store = _duplicates(world, "devops-events-processing.metrics", "store")
    lost, twice = count - stored, events - different
    _show(count, sent, (sending_seconds, seconds), {"lost": lost, "stored twice": twice, "reached the queue": at_store})
    return 1 if lost or twice or sent.given_up else 0


def _drained(database: "psycopg.Connection[tuple[int, ...]]", count: int) -> tuple[int, int, int]:
    """Deliveries and events of ours in the store, and different events, once nothing comes any more."""
    deadline, last, still = time.monotonic() + _DRAINED_SECONDS, -1, 0
    query = "SELECT count(*) FROM deliveries WHERE key LIKE 'github/benchmark-%'"
    while time.monotonic() < deadline and still < 10:  # noqa: PLR2004 - ten looks a second apart
        (stored,) = database.execute(query).fetchone() or (0,)
        still = still + 1 if stored in (last, count) else 0
        last = stored
        time.sleep(1)
    events, different = database.execute(
        "SELECT count(*), count(DISTINCT document -> 'event' ->> 'id') FROM events "
        "WHERE document -> 'event' ->> 'id' IS NOT NULL"
    ).fetchone() or (0, 0)
    return last, events, different


def _duplicates(world: World, port: str, stage: str) -> int:
    text = httpx.get(f"{world.addresses.url(port)}/metrics", trust_env=False, timeout=10).text
    return round(
        sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "devops_events_duplicates_total"
            and sample.labels["stage"] == stage
            and sample.labels["platform"] == "github"
        )
    )


def _show(count: int, sent: Sent, seconds: tuple[float, float], found: dict[str, int]) -> None:
    table = Table(title=f"{count:,} deliveries through two nodes, 10 % twice, one node killed midway")
    table.add_column("what")
    table.add_column("how many", justify="right")
    for outcome, number in sorted(sent.answers.items()):
        table.add_row(f"answered {outcome}", f"{number:,}")
    table.add_row("attempts that were made again", f"{sent.repeated:,}")
    table.add_row("given up", f"{sent.given_up:,}")
    for what, number in found.items():
        table.add_row(f"doubles that {what}" if what == "reached the queue" else what, f"{number:,}")
    table.add_row("deliveries answered a second", f"{sum(sent.answers.values()) / seconds[0]:,.0f}")
    table.add_row("seconds until all were stored", f"{seconds[1]:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
