"""Dead processes made one file: nothing lost, nothing twice, whatever happens in the middle."""

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.samples import Exemplar
from sereno_telemetry.processes import exemplars
from sereno_telemetry.processes.compaction import MOST_DEAD_PROCESSES, compact
from sereno_telemetry.processes.folder import SharedFolder
from sereno_telemetry.processes.group import Group
from sereno_telemetry.processes.merging import families
from support.shared_metrics import key, write

DEAD = (4_100_001, 4_100_002, 4_100_003)  # above pid_max: nobody has these numbers
ORDERS = key("orders_total")
ENDLESS = struct.pack("iii12sddi", 200, 0, 4, b"abcd", 0.0, 0.0, -24) + bytes(156)
"""A file whose second entry has a length that leads back to the first one's value."""


@pytest.fixture
def shared(tmp_path: Path) -> SharedFolder:
    """A folder with nothing in it."""
    folder = SharedFolder(tmp_path / "shared")
    folder.create()
    return folder


def fail(error: Exception) -> None:
    """Where nothing may go wrong."""
    raise error


def total(folder: SharedFolder, name: str = "orders_total") -> Mapping[str, float]:
    """What a scrape would show of one sample: its labels → value."""
    amounts, newest = Group(folder)._read(living={os.getpid()})
    return {
        ",".join(f"{label}={value}" for label, value in sample.labels.items()): sample.value
        for family in families(amounts, newest)
        for sample in family.samples
        if sample.name == name
    }


def test_counters_go_on_and_live_gauges_end(shared: SharedFolder) -> None:
    """The sums of counters don't change when their processes die; what is only true of the living goes with them."""
    write(shared.path / f"counter_{DEAD[0]}.db", {ORDERS: 3})
    write(shared.path / f"counter_{DEAD[1]}.db", {ORDERS: 4})
    write(shared.path / f"gauge_livesum_{DEAD[0]}.db", {key("busy"): 2})
    write(shared.path / f"gauge_max_{DEAD[0]}.db", {key("peak"): 9})
    compact(shared, DEAD, fail)
    write(shared.path / f"counter_{os.getpid()}.db", {ORDERS: 5})
    write(shared.path / f"gauge_max_{os.getpid()}.db", {key("peak"): 4})
    assert total(shared) == {"": 12}
    assert total(shared, "peak") == {"": 9}
    assert total(shared, "busy") == {}
    names = sorted(path.name for path in shared.path.glob("*.db"))
    assert names == [f"counter_{os.getpid()}.db", f"gauge_max_{os.getpid()}.db"]
    assert list(shared.dead.iterdir()) == []


def test_infinite_sums_survive(shared: SharedFolder) -> None:
    """What JSON has no number for comes back as it was."""
    write(shared.path / f"counter_{DEAD[0]}.db", {ORDERS: float("inf")})
    compact(shared, DEAD, fail)
    assert total(shared) == {"": float("inf")}


def test_gauges_of_each_process_do_not_pile_up(shared: SharedFolder) -> None:
    """Of the gauges that stay apart, those of the last dead remain, however many workers came and went."""
    for generation in range(3 * MOST_DEAD_PROCESSES):
        pid = DEAD[0] + generation
        write(shared.path / f"gauge_all_{pid}.db", {key("progress"): generation})
        compact(shared, [pid], fail)
    left = total(shared, "progress")
    assert len(left) == MOST_DEAD_PROCESSES
    assert left[f"pid={DEAD[0] + 3 * MOST_DEAD_PROCESSES - 1}"] == 3 * MOST_DEAD_PROCESSES - 1


def test_the_newest_exemplar_of_the_dead_remains(shared: SharedFolder) -> None:
    """Exemplars are of series, not of workers: they stay until there is a newer one."""
    for pid, seconds in zip(DEAD, (100.0, 300.0, 200.0), strict=True):
        write(shared.path / f"counter_{pid}.db", {ORDERS: 1})
        shared.exemplars(pid).write_bytes(exemplars.encode({ORDERS: Exemplar({"trace_id": str(pid)}, 1, seconds)}))
        compact(shared, [pid], fail)
    _, newest = Group(shared)._read(living=set())
    assert newest[ORDERS].labels == {"trace_id": str(DEAD[1])}


def test_torn_and_foreign_files_cost_only_themselves(shared: SharedFolder) -> None:
    """Whatever lies in the folder, the rest is summed, and what can't be read is told."""
    write(shared.path / f"counter_{DEAD[0]}.db", {ORDERS: 3})
    whole = (shared.path / f"counter_{DEAD[0]}.db").read_bytes()
    (shared.path / f"counter_{DEAD[1]}.db").write_bytes(whole[:60])  # says that more is used than there is
    (shared.path / f"histogram_{DEAD[1]}.db").write_bytes(ENDLESS)
    (shared.path / f"counter_{DEAD[2]}.db").touch()  # opened a moment ago
    for name in ("counter_x.db", "notes.txt", "gauge_5.db", "counter_1.db.bak"):
        (shared.path / name).write_text("not ours")
    shared.exemplars(DEAD[0]).write_text("{")
    problems: list[Exception] = []
    compact(shared, DEAD, problems.append)
    assert total(shared) == {"": 3}
    assert len(problems) == 3
    assert (shared.path / "notes.txt").read_text() == "not ours"


def killed_at(step: int, act: Callable[[], None]) -> bool:
    """Carry out `act` in a child that kills itself with -9 before its file operation number `step`; whether it did.

    Every file that Python opens, renames or removes is one operation, by Python's own audit events; so is one that is
    half written.
    """
    child = os.fork()
    if child == 0:
        seen = 0

        def count(event: str, arguments: tuple[object, ...]) -> None:  # noqa: ARG001
            nonlocal seen
            if event in ("open", "os.rename", "os.remove"):
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        def write_bytes(path: Path, content: bytes) -> None:
            with path.open("wb") as file:
                file.write(content[: len(content) // 2])
                file.flush()
                count("open", ())
                file.write(content[len(content) // 2 :])

        try:
            sys.addaudithook(count)
            Path.write_bytes = write_bytes  # type: ignore[method-assign, assignment]
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_a_kill_at_any_step_changes_no_figure(tmp_path: Path) -> None:
    """Killed before any file operation of a compaction, with a number used again in between: the sums stay exact."""
    step = 0
    killed = True
    while killed:
        step += 1
        folder = SharedFolder(tmp_path / str(step))
        folder.create()
        write(folder.path / f"counter_{DEAD[0]}.db", {ORDERS: 1})
        compact(folder, [DEAD[0]], fail)
        for pid, orders in ((DEAD[0], 10), (DEAD[1], 100)):
            write(folder.path / f"counter_{pid}.db", {ORDERS: orders})
            write(folder.path / f"histogram_{pid}.db", {key("took_sum"): orders})
            write(folder.path / f"gauge_livesum_{pid}.db", {key("busy"): 1})
            folder.member_file(pid).touch()
        killed = killed_at(step, lambda: compact(folder, DEAD, fail))  # noqa: B023 - done before the next turn
        assert total(folder) == {"": 111}, step
        if not (folder.path / f"counter_{DEAD[0]}.db").exists():  # a new process of that number
            write(folder.path / f"counter_{DEAD[0]}.db", {ORDERS: 1000})
            assert total(folder) == {"": 1111}, step
        killed_at(step, lambda: compact(folder, DEAD, fail))  # noqa: B023
        compact(folder, DEAD, fail)
        assert total(folder) in ({"": 111}, {"": 1111}), step
        assert list(folder.dead.iterdir()) == []
        assert list(folder.path.glob("*.db")) == []
    assert step > 10


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["count", "die", "compact", "killed"]), st.integers(0, 2), st.integers(1, 30)),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_sums_are_what_was_counted(tmp_path_factory: pytest.TempPathFactory, steps: list[Step]) -> None:
    """Workers that count, die, get each other's numbers and are compacted, or half compacted: the sum never differs."""
    folder = SharedFolder(tmp_path_factory.mktemp("shared"))
    folder.create()
    counted, alive = 0, dict.fromkeys(range(3), 0)
    for what, who, number in steps:
        path = folder.path / f"counter_{DEAD[who]}.db"
        gone = [DEAD[index] for index in alive if alive[index] < 0]
        if what == "count" and alive[who] >= 0:
            alive[who] += number
            counted += number
            write(path, {ORDERS: alive[who]})
        elif what == "die":
            alive[who] = -1
        elif what == "killed":
            killed_at(number, lambda: compact(folder, gone, fail))  # noqa: B023
        else:
            compact(folder, gone, fail)
            alive = {index: max(value, 0) for index, value in alive.items()}  # their numbers are free again
        assert total(folder).get("", 0) == counted, (what, who, number)


def test_files_do_not_grow_with_generations_of_workers(shared: SharedFolder) -> None:
    """Three hundred workers later the folder is as large as after three."""

    def size_after(generations: int) -> int:
        for generation in range(generations):
            pid = DEAD[0] + generation
            write(shared.path / f"counter_{pid}.db", {key("orders_total", kind=str(kind)): 1 for kind in range(20)})
            write(shared.path / f"gauge_sum_{pid}.db", {key("depth"): 1})
            compact(shared, [pid], fail)
        return sum(path.stat().st_size for path in shared.path.rglob("*") if path.is_file())

    small = size_after(3)
    assert size_after(300) < small + 200  # longer numbers
    assert set(total(shared).values()) == {303}


def test_plain_prometheus_client_still_reads_the_folder(shared: SharedFolder) -> None:
    """What lives is where prometheus_client's own tools look for it."""
    write(shared.path / f"counter_{os.getpid()}.db", {ORDERS: 3})
    code = (
        "from prometheus_client import CollectorRegistry, generate_latest, multiprocess\n"
        "registry = CollectorRegistry(); multiprocess.MultiProcessCollector(registry)\n"
        "print(generate_latest(registry).decode())"
    )
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(shared.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=30
    )
    assert "orders_total 3.0" in done.stdout
