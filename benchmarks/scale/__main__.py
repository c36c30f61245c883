"""`python -m benchmarks.scale`: ten minutes of known traffic through every topology that starts here."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.scale.between import Election, electing, stalling
from benchmarks.scale.judging import Judgement, judge, judge_merged, usage
from benchmarks.scale.rules import rule_file
from benchmarks.scale.servers import Plan, Write, running
from benchmarks.scale.traffic import Schedule, serving_target
from benchmarks.simulation import Server, find_prometheus

_IDENTITY_OF_PAIR = ("job", "instance", "replica")
_DELAYS = {"now": None, "after-1m": "1m", "after-2m": "2m"}
_USUAL_DELAYS = ("now", "after-1m")


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that runs, but for the second replica, which comes and goes."""

    first: Server
    second: Plan
    receivers: dict[str, Server]


@click.command(context_settings={"max_content_width": 110})
@click.option("--other", metavar="PROGRAM", help="Prometheus of the second replica and two receivers [the same].")
def main(other: str | None) -> None:
    """Run a pair of replicas and four receivers for ten minutes, and print what each counted of known traffic.

    \b
    Examples:
      python -m benchmarks.scale
      python -m benchmarks.scale --other "$(scripts/fetch-prometheus3)"
    """  # noqa: D301 - \b is click's
    schedule = Schedule()
    with tempfile.TemporaryDirectory(prefix="sereno-scale-") as folder:
        began = time.time()
        with _fleet(Path(folder), schedule, began, find_prometheus(), find_prometheus(other)) as fleet:
            with running(fleet.second) as second:
                _wait(began + schedule.one_replica_down.start)
                before = usage(second)
            _wait(began + schedule.one_replica_down.end)
            with running(fleet.second) as second:
                _wait(began + schedule.end)
                _print(_judgements(fleet, second, schedule, began))
                _print_usage(fleet, second, before.cpu_seconds, schedule)


@contextmanager
def _fleet(folder: Path, schedule: Schedule, began: float, program: str, other: str) -> Iterator[Fleet]:
    prompt = {"now": rule_file("now")}
    late = {service: rule_file(service, delay=delay) for service, delay in _DELAYS.items()}
    doubled = {
        service: rule_file(service, delay=_DELAYS[service], identity=_IDENTITY_OF_PAIR) for service in _USUAL_DELAYS
    }
    receivers = {
        "prompt": Plan(folder / "prompt", other, {name: late[name] for name in _USUAL_DELAYS}),
        "late": Plan(folder / "late", program, late),
        "elected": Plan(folder / "elected", other, {name: late[name] for name in _USUAL_DELAYS}),
        "doubled": Plan(folder / "doubled", program, doubled),
    }
    with ExitStack() as stack:
        target = stack.enter_context(serving_target(schedule, began, time.time))
        up = {name: stack.enter_context(running(plan)) for name, plan in receivers.items()}
        network = stack.enter_context(stalling(schedule, began, time.time, up["late"].url))
        tracker = stack.enter_context(electing(Election(time.time, elected="b"), up["elected"].url))

        def writes(replica: str) -> tuple[Write, ...]:
            to_both = (
                Write(f"http://{tracker}/{replica}/api/v1/write", drops_replica=True),
                Write(f"{up['doubled'].url}/api/v1/write"),
            )
            of_the_first = (
                Write(f"{up['prompt'].url}/api/v1/write", drops_replica=True),
                Write(f"http://{network}/api/v1/write", drops_replica=True),
            )
            return (*to_both, *of_the_first) if replica == "a" else to_both

        first = Plan(folder / "a", program, prompt, target, "a", writes("a"))
        second = replace(first, folder=folder / "b", program=other, replica="b", writes=writes("b"))
        yield Fleet(stack.enter_context(running(first)), second, up)


def _wait(until: float) -> None:
    time.sleep(max(0.0, until - time.time()))


def _judgements(fleet: Fleet, second: Server, schedule: Schedule, began: float) -> dict[str, Judgement]:
    up = fleet.receivers

    def of(server: Server, service: str) -> Judgement:
        return judge(server, service, schedule, began)

    return {
        "single": of(fleet.first, "now"),
        "pair: the replica that was down for 2 minutes": of(second, "now"),
        "pair: entries merged": judge_merged((second, fleet.first), "now", schedule, began),
        "pair into a receiver that elects": of(up["elected"], "now"),
        "… that elects, evaluation_delay 1m": of(up["elected"], "after-1m"),
        "pair into a receiver without deduplication": of(up["doubled"], "now"),
        "… without deduplication, evaluation_delay 1m": of(up["doubled"], "after-1m"),
        "rules on a receiver": of(up["prompt"], "now"),
        "… on a receiver, evaluation_delay 1m": of(up["prompt"], "after-1m"),
        "samples late by up to 40 s and 110 s": of(up["late"], "now"),
        "… late, evaluation_delay 1m": of(up["late"], "after-1m"),
        "… late, evaluation_delay 2m": of(up["late"], "after-2m"),
    }


def _print(judgements: dict[str, Judgement]) -> None:
    table = Table("topology", "events", "error ratio", "page after, mean (latest)", "copies that paged")
    for name, found in judgements.items():
        delays = found.page_delays
        after = f"{sum(delays) / len(delays):.0f} s ({delays[-1]:.0f} s)" if delays else "never"
        table.add_row(name, f"{found.events_error:+.2%}", f"{found.ratio_error:+.2%}", after, str(len(delays)))
    Console(width=130).print(table)


def _print_usage(fleet: Fleet, second: Server, cpu_before: float, schedule: Schedule) -> None:
    table = Table("server", "version", "CPU of a core", "memory")
    up_seconds = schedule.end - (schedule.one_replica_down.end - schedule.one_replica_down.start)
    for name, server in {"replica a": fleet.first, "replica b": second, **fleet.receivers}.items():
        used = usage(server)
        is_second = server is second
        cpu = (used.cpu_seconds + cpu_before * is_second) / (up_seconds if is_second else schedule.end)
        table.add_row(name, server.version, f"{cpu:.1%}", f"{used.resident_mebibytes:.0f} MiB")
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
