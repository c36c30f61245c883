"""Scheduled jobs and batches: what is counted, and what survives the process."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from opentelemetry.trace import StatusCode
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from sereno_telemetry import Job, current_run
from sereno_telemetry.metrics.families import OVERFLOW
from support.work import Clock, Tracing, current_ids, push_sink, trace_id

Series = Callable[[str], Mapping[tuple[str, ...], float]]


def in_file(folder: Path, name: str, **labels: str) -> float | None:
    """The value of a sample in the textfile of the job `import`."""
    text = (folder / "job_import.prom").read_text()
    values = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.labels == {"job_name": "import", **labels}
    ]
    assert len(values) <= 1
    return values[0] if values else None


def job(folder: Path, clock: Clock) -> Job:
    """The job as a process of its own would have it: nothing is known but what is on disk."""
    return Job("import", registry=CollectorRegistry(), textfile=folder, clock=clock)


def test_a_run_is_counted_with_its_rows(
    registry: CollectorRegistry, series: Series, tracing: Tracing, clock: Clock
) -> None:
    """Duration, outcome, start, success and the rows of each stage; its span is current within it."""
    nightly = Job("import", registry=registry, tracer_provider=tracing.provider, clock=clock)
    assert series("job_runs_total") == {("import", "ok"): 0, ("import", "failed"): 0}
    with nightly.running() as run:
        inside = current_ids()
        assert series("job_running") == {("import",): 1}
        assert list(run.reading("parse", range(5))) == [0, 1, 2, 3, 4]
        run.rows("parse", written=4, rejected=1)
        clock.now += 60
    assert series("job_rows_total") == {
        ("import", "parse", "in"): 5,
        ("import", "parse", "out"): 4,
        ("import", "parse", "rejected"): 1,
    }
    assert series("job_running") == {("import",): 0}
    assert series("job_runs_total")[("import", "ok")] == 1
    assert series("job_duration_seconds_count") == {("import", "ok"): 1}
    assert series("job_last_start_timestamp_seconds") == {("import",): clock.now - 60}
    assert series("job_last_success_timestamp_seconds") == {("import",): clock.now}
    assert trace_id(tracing.only()) == inside[0]


def test_a_failed_run_is_no_success(registry: CollectorRegistry, series: Series, tracing: Tracing) -> None:
    """By exception, which passes, or by word; the last success stays what it was."""
    nightly = Job("import", registry=registry, tracer_provider=tracing.provider)
    error = LookupError("no source")
    with pytest.raises(LookupError) as caught, nightly.running():
        raise error
    assert caught.value is error
    with nightly.running() as run:
        run.fail("half of it")
    assert series("job_runs_total")[("import", "failed")] == 2
    assert series("job_last_success_timestamp_seconds") == {}
    assert [span.status.status_code for span in tracing.spans()] == [StatusCode.ERROR] * 2


def test_every_form_of_function_is_a_run(registry: CollectorRegistry, series: Series) -> None:
    """Plain, async and generator functions are decorated alike, and know their run."""
    nightly = Job("import", registry=registry)

    def say() -> None:
        current_run().rows("all", read=1)

    @nightly
    def plain() -> str:
        say()
        return "plain"

    @nightly
    async def coroutine() -> str:
        await asyncio.sleep(0)
        say()
        return "async"

    @nightly
    def generator() -> Iterator[str]:
        say()
        yield "item"
        say()

    assert (plain(), asyncio.run(coroutine()), list(generator())) == ("plain", "async", ["item"])
    assert series("job_rows_total") == {("import", "all", "in"): 4}
    assert series("job_runs_total")[("import", "ok")] == 3
    current_run().rows("outside", read=1)
    assert series("job_rows_total") == {("import", "all", "in"): 4}


def test_runs_that_overlap_show(registry: CollectorRegistry, series: Series) -> None:
    """A second run of the same process, while the first goes on."""
    nightly = Job("import", registry=registry)
    with nightly.running():
        assert series("job_overlaps_total") == {("import",): 0}
        with nightly.running():
            assert series("job_running") == {("import",): 2}
    with nightly.running():
        pass
    assert series("job_overlaps_total") == {("import",): 1}


def test_counters_of_the_file_go_on_over_processes(tmp_path: Path, clock: Clock) -> None:
    """Each process adds to what was there; a failed run leaves the last success as it was."""
    for number in range(3):
        with job(tmp_path, clock).running() as run:
            run.rows("load", read=4, written=9, rejected=number)
            run.rows("load", read=6)
        clock.now += 3600
    success = clock.now - 3600
    with pytest.raises(LookupError), job(tmp_path, clock).running():
        raise LookupError
    assert in_file(tmp_path, "job_runs_total", outcome="ok") == 3
    assert in_file(tmp_path, "job_runs_total", outcome="failed") == 1
    assert in_file(tmp_path, "job_rows_total", stage="load", direction="in") == 30
    assert in_file(tmp_path, "job_rows_total", stage="load", direction="rejected") == 3
    assert in_file(tmp_path, "job_last_success_timestamp_seconds") == success
    assert in_file(tmp_path, "job_last_start_timestamp_seconds") == clock.now
    assert in_file(tmp_path, "job_duration_seconds_count", outcome="ok") == 3
    assert in_file(tmp_path, "job_duration_seconds_bucket", outcome="ok", le="+Inf") == 3
    assert in_file(tmp_path, "job_running") == 0
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".prom"] == ["job_import.prom"]


def test_the_file_is_what_promtool_accepts(tmp_path: Path, clock: Clock) -> None:
    """node_exporter would read it: every family once, buckets in order."""
    for outcome in (True, False):
        with job(tmp_path, clock).running() as run:
            if not outcome:
                run.fail()
    text = (tmp_path / "job_import.prom").read_bytes()
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    bounds = [line.split('le="')[1].split('"')[0] for line in text.decode().splitlines() if 'le="' in line]
    assert bounds[: len(bounds) // 2] == bounds[len(bounds) // 2 :] == sorted(bounds[: len(bounds) // 2], key=float)


def test_the_last_success_is_known_before_the_first_run(
    tmp_path: Path, clock: Clock, registry: CollectorRegistry, series: Series
) -> None:
    """A scheduler that was started anew exports it at once: an alert on its age doesn't go blind."""
    with job(tmp_path, clock).running():
        pass
    Job("import", registry=registry, textfile=tmp_path)
    assert series("job_last_success_timestamp_seconds") == {("import",): clock.now}


def test_a_killed_run_is_counted_by_the_next(tmp_path: Path, clock: Clock) -> None:
    """The file says `running` while a process runs; when that is killed the next run says so, and isn't an overlap."""
    code = (
        "import sys, time; from pathlib import Path; from sereno_telemetry import Job\n"
        "with Job('import', textfile=Path(sys.argv[1])).running(): print('runs', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"
        assert in_file(tmp_path, "job_running") == 1
        with job(tmp_path, clock).running():
            pass
        assert in_file(tmp_path, "job_overlaps_total") == 1
        assert in_file(tmp_path, "job_running") == 1
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    assert in_file(tmp_path, "job_running") == 1
    with job(tmp_path, clock).running():
        pass
    assert in_file(tmp_path, "job_runs_total", outcome="killed") == 1
    assert in_file(tmp_path, "job_overlaps_total") == 1
    assert in_file(tmp_path, "job_running") == 0


def test_runs_side_by_side_lose_nothing(tmp_path: Path, clock: Clock) -> None:
    """Reading and writing the file is one step, whoever else does it."""
    threads = [threading.Thread(target=_one_run, args=(tmp_path, clock)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert in_file(tmp_path, "job_runs_total", outcome="ok") == 8
    assert in_file(tmp_path, "job_rows_total", stage="all", direction="in") == 8
    assert in_file(tmp_path, "job_running") == 0


def _one_run(folder: Path, clock: Clock) -> None:
    with job(folder, clock).running() as run:
        run.rows("all", read=1)


def test_the_file_is_right_where_processes_share_their_metrics(tmp_path: Path) -> None:
    """With PROMETHEUS_MULTIPROC_DIR counters of one name are one counter; each run is in the file once."""
    code = (
        "import sys; from pathlib import Path; from sereno_telemetry import Job\n"
        "job = Job('import', textfile=Path(sys.argv[1]))\n"
        "for _ in range(2):\n"
        "    with job.running() as run: run.rows('all', read=5)\n"
    )
    shared = tmp_path / "shared"
    shared.mkdir()
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(shared)},
            check=True,
            timeout=30,
        )
    assert in_file(tmp_path, "job_runs_total", outcome="ok") == 4
    assert in_file(tmp_path, "job_duration_seconds_count", outcome="ok") == 4
    assert in_file(tmp_path, "job_rows_total", stage="all", direction="in") == 20


def test_stages_are_limited_over_all_runs(tmp_path: Path, clock: Clock) -> None:
    """Stages that are named after dates don't let the file grow for ever, and their rows are still counted."""
    for night in range(3):
        with job(tmp_path, clock).running() as run:
            for number in range(60):
                run.rows(f"{night}-{number}", read=1)
    text = (tmp_path / "job_import.prom").read_text()
    rows = [s for f in text_string_to_metric_families(text) for s in f.samples if s.name == "job_rows_total"]
    assert sum(sample.value for sample in rows) == 180
    assert len(rows) <= 102
    assert any(sample.labels["stage"] == OVERFLOW for sample in rows)


@pytest.mark.parametrize("content", [b"\xff\x00", b"job_runs_total{ 1\n", b"garbage"])
def test_a_broken_file_is_begun_anew(tmp_path: Path, clock: Clock, content: bytes) -> None:
    """What can't be read is told once, and the run is as good as any."""
    (tmp_path / "job_import.prom").write_bytes(content)
    with job(tmp_path, clock).running():
        pass
    assert in_file(tmp_path, "job_runs_total", outcome="ok") == 1


def test_a_file_that_can_not_be_read_now_is_left_alone(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails for a moment costs the run its place in the file, and not the sums of all runs before."""
    with job(tmp_path, clock).running():
        pass
    before = (tmp_path / "job_import.prom").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", _fails)
        with job(tmp_path, clock).running():
            pass
    assert (tmp_path / "job_import.prom").read_bytes() == before


def _fails(*_: object, **__: object) -> str:
    raise OSError("input/output error")


def test_a_folder_that_is_not_there_costs_the_file_only(
    tmp_path: Path, registry: CollectorRegistry, series: Series
) -> None:
    """The run goes on, its metrics are in the registry, and the error is counted."""
    with Job("import", registry=registry, textfile=tmp_path / "none").running():
        pass
    assert series("job_runs_total")[("import", "ok")] == 1
    assert (registry.get_sample_value("sereno_telemetry_errors_total") or 0) >= 1


def test_a_pushgateway_hears_of_each_end(tmp_path: Path, clock: Clock) -> None:
    """Without a file only gauges are pushed, and no last success that wasn't; with one, the sums as well."""
    with push_sink() as (address, pushed):
        plain = Job("import", registry=CollectorRegistry(), pushgateway=address, clock=clock)
        with pytest.raises(LookupError), plain.running():
            raise LookupError
        with plain.running():
            pass
        kept = Job("import", registry=CollectorRegistry(), pushgateway=address, textfile=tmp_path, clock=clock)
        with kept.running() as run:
            run.fail()
        with kept.running():
            pass
    failed, good, failed_first, summed = pushed
    assert (
        "job_last_success_timestamp_seconds" not in failed_first
    )  # an empty family would remove the one that is there
    assert "job_last_success_timestamp_seconds" not in failed
    assert 'job_last_start_timestamp_seconds{job_name="import"}' in failed
    assert 'job_last_success_timestamp_seconds{job_name="import"}' in good
    assert "_total" not in failed + good
    assert 'job_runs_total{job_name="import",outcome="ok"} 1.0' in summed


def test_what_is_pushed_elsewhere_is_flushed_at_the_end(registry: CollectorRegistry) -> None:
    """A process that ends with its run doesn't take its last metrics with it."""
    flushed: list[float | None] = []

    def flush() -> None:
        flushed.append(registry.get_sample_value("job_runs_total", {"job_name": "import", "outcome": "ok"}))

    with Job("import", registry=registry, flush=flush).running():
        assert flushed == []
    assert flushed == [1]


def test_wrong_set_up_is_told_at_once(tmp_path: Path) -> None:
    """A developer's mistake is a ValueError at the start."""
    with pytest.raises(ValueError, match="needs a name"):
        Job("")
    with pytest.raises(ValueError, match="too long"):
        Job("x" * 300, registry=CollectorRegistry(), textfile=tmp_path)


def test_names_can_not_leave_the_folder(tmp_path: Path) -> None:
    """A job may be called anything; its file is in the folder."""
    (tmp_path / "in").mkdir()
    with Job("../out of/it", registry=CollectorRegistry(), textfile=tmp_path / "in").running():
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert (tmp_path / "in" / "job_..%2Fout%20of%2Fit.prom").exists()
