"""`python -m benchmarks.devops_events [--deliveries N]`: what two nodes, doubles and a kill cost.

100,000 signed deliveries through two ingestion nodes, a tenth of them twice (half of those to both nodes at the same
moment), while one of the nodes is killed at half of them and started again at three quarters. It ends with 1 where a
delivery or its event is lost, or there twice, by what is in it: each has a commit of its own. The whole system runs,
with all that watches it: about ten minutes.
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

from benchmarks.devops_events.looking import Found, Kept, drained
from benchmarks.devops_events.sending import Sent, plan, send

NODES = ("devops-events-node-1", "devops-events-node-2")
KILLED = NODES[0]
QUEUE = "devops-events"
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
        kept = drained(database, lambda: _waiting(str(words["rabbitmq.management"])), _DRAINED_SECONDS)
    seconds = time.monotonic() - begun
    at_store = _duplicates(world, "devops-events-processing.metrics", "store")
    _show(count, sent, (sending_seconds, seconds), {**_judged(kept, count), "doubles that the store removed": at_store})
    return 0 if is_right(kept, count) and not sent.given_up else 1


def is_right(kept: Found, count: int) -> bool:
    """Whether each delivery and its event are there, once."""
    return kept == Found(Kept(count, count), Kept(count, count))


def _judged(kept: Found, count: int) -> dict[str, int]:
    judged = {"different deliveries that were sent": count}
    for what, one in (("deliveries", kept.deliveries), ("events", kept.events)):
        judged |= {
            f"different {what} in the store": one.different,
            f"{what} lost": one.lost(count),
            f"{what} there more than once": one.doubled,
        }
    return judged


def _waiting(management: str) -> int:
    """Messages on the queue, those in the worker's hands among them."""
    answer = httpx.get(
        f"{management}/api/queues/%2F/{QUEUE}", auth=("guest", "guest"), trust_env=False, timeout=10
    ).raise_for_status()
    return int(answer.json().get("messages", 0))


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
        table.add_row(what, f"{number:,}")
    table.add_row("deliveries answered a second", f"{sum(sent.answers.values()) / seconds[0]:,.0f}")
    table.add_row("seconds until all were stored", f"{seconds[1]:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
