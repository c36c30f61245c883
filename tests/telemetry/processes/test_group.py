"""Processes that share their metrics: who begins, who belongs to it, what each of them answers."""

import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.shared_metrics import Samples, Worker, key, write
from support.waiting import wait_for

StartWorker = Callable[..., Worker]

ORDERS = ("orders_total", (("kind", "a"),))
BUSY = ("busy", ())
START = ("process_start_time_seconds", ())
OPENMETRICS = '"application/openmetrics-text;version=1.0.0"'


def count(worker: Worker, orders: int) -> None:
    """Have a worker count some orders."""
    worker.do(f"orders.labels('a').inc({orders})")


def test_whoever_answers_says_the_same(start_worker: StartWorker) -> None:
    """Each process serves the sums of all: counters, histograms, gauges of the living, and one start for all."""
    first, second = start_worker(), start_worker()
    count(first, 3)
    count(second, 4)
    first.do("busy.set(2)")
    second.do("busy.set(5)")
    first.do("took.observe(0.05)")
    second.do("took.observe(3)")
    shown = first.shown()
    assert shown[ORDERS] == 7
    assert shown[BUSY] == 7
    assert [shown["took_seconds_bucket", (("le", bound),)] for bound in ("0.1", "1.0", "+Inf")] == [1, 1, 2]
    assert shown["sereno_telemetry_errors_total", ()] == 0
    assert {name for name, _ in shown if name.startswith("python_gc")} == set()
    other = second.shown()
    changing = {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes"}
    assert {name: value for name, value in other.items() if name[0] not in changing} == {
        name: value for name, value in shown.items() if name[0] not in changing
    }
    assert other["process_cpu_seconds_total", ()] >= shown["process_cpu_seconds_total", ()] > 0


def test_a_worker_is_replaced(start_worker: StartWorker) -> None:
    """After a kill -9 counts go on, what it had in progress ends, and the service's start stays."""
    first, second = start_worker(), start_worker()
    count(second, 4)
    second.do("busy.set(5)")
    before = first.shown()
    second.kill()
    third = start_worker()
    count(third, 10)
    for worker in (first, third):
        shown = worker.shown()
        assert shown[ORDERS] == 14
        assert shown[BUSY] == 0
        assert shown[START] == before[START]
        assert shown["process_cpu_seconds_total", ()] >= before["process_cpu_seconds_total", ()]


def test_a_hundred_workers_come_and_go_under_scrapes(start_worker: StartWorker, folder: Path) -> None:
    """Forked workers count and are killed while two others are scraped: no scrape shows less, the end is exact."""
    parent, others = start_worker(), [start_worker(), start_worker()]
    assert parent.do("1") == 1
    parent.do("life = lambda: (orders.labels('a').inc(), busy.inc(), took.observe(1), os.kill(os.getpid(), 9))")
    with ThreadPoolExecutor(1) as pool:
        lives = pool.submit(parent.do, "[os.waitpid(os.fork() or life(), 0) for _ in range(100)] and None")
        seen: list[Samples] = []
        while not lives.done():
            seen += [worker.shown() for worker in others]
        lives.result()
    last = others[0].shown()
    assert (last[ORDERS], last["took_seconds_count", ()], last[BUSY]) == (100, 100, 0)
    assert [shown.get(ORDERS, 0) for shown in seen] == sorted(shown.get(ORDERS, 0) for shown in seen)
    assert last["sereno_telemetry_errors_total", ()] == 0
    assert len([*folder.rglob("*")]) < 30


def test_the_next_run_begins_at_zero(start_worker: StartWorker, folder: Path) -> None:
    """What a crashed run left is removed by the first process of the next one, and the start is new."""
    crashed = start_worker()
    count(crashed, 3)
    start = crashed.shown()[START]
    crashed.kill()
    (folder / "notes.txt").write_text("not ours")
    worker = start_worker()
    count(worker, 1)
    shown = worker.shown()
    assert shown[ORDERS] == 1
    assert shown[START] > start
    assert (folder / "notes.txt").exists()


LEFT_BY_A_DEAD_ONE = """
from pathlib import Path
from support.shared_metrics import key, write

def leave(folder={folder!r}):
    write(Path(folder) / f"counter_{{os.getpid()}}.db", {{key("orders_total", kind="a"): 500}})
    write(Path(folder) / f"gauge_livesum_{{os.getpid()}}.db", {{key("busy"): 5}})
"""


def test_the_same_number_after_a_restart_is_another_process(start_worker: StartWorker, folder: Path) -> None:
    """In a container workers get the same numbers at each start: old values aren't theirs, even if made too early."""
    early = LEFT_BY_A_DEAD_ONE.format(folder=str(folder)) + (
        "leave()\n"
        "from prometheus_client import Counter\n"
        "early = Counter('orders_total', 'Help.', ['kind'], registry=None)\n"
        "assert early.labels('a')._value.get() == 500"
    )
    worker = start_worker(early=early)
    worker.do("early.labels('a').inc()")
    shown = worker.shown()
    assert (shown[ORDERS], shown[BUSY]) == (1, 0)


def test_only_what_living_processes_have_written_survives_a_new_beginning(
    start_worker: StartWorker, folder: Path
) -> None:
    """A worker that started a moment earlier, and hasn't joined yet, keeps its files; older ones of its number go."""
    write(folder / f"counter_{os.getpid()}.db", {key("fresh_total"): 5})
    write(folder / f"summary_{os.getpid()}.db", {key("stale_total"): 5})
    os.utime(folder / f"summary_{os.getpid()}.db", (1, 1))  # before this process was born
    write(folder / "counter_4100001.db", {key("gone_total"): 5})
    shown = start_worker().shown()
    assert shown["fresh_total", ()] == 5
    assert {name for name, _ in shown}.isdisjoint({"stale_total", "gone_total"})


def test_a_number_that_a_dead_worker_had_is_used_again(start_worker: StartWorker, folder: Path) -> None:
    """A forked worker with a dead one's number adds to its counts, and doesn't inherit what it had in progress."""
    # Hooks run in the order of their registration: this one before the package's.
    early = LEFT_BY_A_DEAD_ONE.format(folder=str(folder)) + "os.register_at_fork(after_in_child=leave)"
    parent = start_worker(early=early)
    count(parent, 3)
    parent.do("busy.set(1)")
    parent.do("[count := lambda: (orders.labels('a').inc(20), busy.inc(2), os.kill(os.getpid(), 19)), None][1]")
    parent.do("child = os.fork() or count()")
    wait_for(lambda: parent.shown()[ORDERS] == 523, what="the child's orders")
    assert parent.shown()[BUSY] == 3
    parent.do("os.kill(child, 9), os.waitpid(child, 0)")
    shown = parent.shown()
    assert (shown[ORDERS], shown[BUSY]) == (523, 1)


def test_a_number_that_somebody_else_has_now_is_not_a_living_worker(start_worker: StartWorker, folder: Path) -> None:
    """A dead worker's number may be that of any other process by now: only who holds its lock is the worker."""
    worker = start_worker()
    assert worker.do("1") == 1  # it has joined
    write(folder / f"counter_{os.getpid()}.db", {key("orders_total", kind="a"): 5})
    write(folder / f"gauge_livesum_{os.getpid()}.db", {key("busy"): 5})
    (folder / f"sereno/member_{os.getpid()}").touch()
    shown = worker.shown()
    assert (shown[ORDERS], shown[BUSY]) == (5, 0)
    assert not (folder / f"counter_{os.getpid()}.db").exists()


def test_a_worker_whose_files_are_taken_away_is_told(start_worker: StartWorker, folder: Path) -> None:
    """When somebody empties the folder under a running service, it says so, and counts from then on."""
    worker = start_worker()
    count(worker, 3)
    before = worker.shown()
    time.sleep(0.01)
    shutil.rmtree(folder)
    shown = worker.shown()
    assert shown[START] > before[START]
    assert shown["sereno_telemetry_errors_total", ()] == 1
    count(worker, 2)
    assert worker.shown()[ORDERS] == 2
    assert "somebody has emptied" in worker.log()


def test_exemplars_of_all_workers_are_served(start_worker: StartWorker) -> None:
    """The newest of each series and bucket, whichever worker had it, also of the service's own metrics."""
    first, second = start_worker(), start_worker()
    first.do("took.observe(0.05, {'trace_id': 'old'})")
    first.do("took.observe(5, {'trace_id': 'slow'})")
    time.sleep(0.01)
    second.do("took.observe(0.07, {'trace_id': 'new'})")
    second.do("orders.labels('a').inc(1, {'trace_id': 'order'})")

    def shown() -> set[str]:
        lines = first.do(f"text({OPENMETRICS})").splitlines()
        return {line.split('trace_id="')[1].split('"')[0] for line in lines if "# {" in line}

    wait_for(lambda: shown() == {"slow", "new", "order"}, what="the newest exemplars")
    second.kill()
    assert shown() == {"slow", "new", "order"}


def test_custom_collectors_are_asked_where_the_scrape_arrives(start_worker: StartWorker) -> None:
    """Gauges of a custom collector are served; its counters can't be, and that is said."""
    worker = start_worker()
    worker.do("from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily")
    worker.do(
        "depth, seen = GaugeMetricFamily('queue_depth', '', value=3), CounterMetricFamily('queue_seen', '', value=9)"
    )
    worker.do("Queue = type('Queue', (), {'collect': lambda self: [depth, seen]})")
    worker.do("REGISTRY.register(Queue())")
    shown = worker.shown()
    assert shown["queue_depth", ()] == 3
    assert ("queue_seen_total", ()) not in shown
    assert "python_info" in {name for name, _ in shown}
    assert "queue_seen of a custom collector is left out" in worker.log()


def test_an_unusable_folder_leaves_each_process_its_own_figures(start_worker: StartWorker, tmp_path: Path) -> None:
    """A service starts whatever the variable names, and a warning says what to do."""
    (tmp_path / "file").touch()
    worker = start_worker(folder=tmp_path / "file")
    count(worker, 3)
    shown: Samples = worker.shown()
    assert shown[ORDERS] == 3
    log = worker.log()
    assert "PROMETHEUS_MULTIPROC_DIR can't be used" in log
    assert "name a folder in which the service may write" in log


def test_the_variable_set_too_late_is_told(start_worker: StartWorker, folder: Path) -> None:
    """prometheus_client has chosen by then; the warning says where to set it."""
    early = f"import prometheus_client; os.environ['PROMETHEUS_MULTIPROC_DIR'] = {str(folder)!r}"
    worker = start_worker(folder=None, early=early)
    count(worker, 3)
    assert worker.shown()[ORDERS] == 3
    assert "was set after prometheus_client was imported" in worker.log()


def test_other_processes_in_the_folder_are_added_too(start_worker: StartWorker, folder: Path) -> None:
    """One that doesn't use this package counts with the rest while it lives, and afterwards."""
    worker = start_worker()
    write(folder / f"counter_{os.getpid()}.db", {key("orders_total", kind="a"): 5})
    count(worker, 3)
    assert worker.shown()[ORDERS] == 8
    (folder / f"counter_{os.getpid()}.db").rename(folder / "counter_4100001.db")
    assert worker.shown()[ORDERS] == 8
    assert not (folder / "counter_4100001.db").exists()
