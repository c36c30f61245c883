"""What the collector's own machine does to it: a full disk below the queue, a clock that jumps, a long outage."""

import re
import time
from pathlib import Path

import httpx
import pytest
from support.collecting import ecs_line
from support.elasticsearch import ElasticsearchServer
from support.log_story import Story
from support.ports import free_port
from support.proxy import Asked, Refusal, proxy_before
from support.small_disk import small_disk
from support.waiting import wait_for

from benchmarks.durability.collector import Collector, Place
from benchmarks.log_throughput.running import resident_mb

DISK_BYTES = 16_000_000
OTHERS_BYTES = {"others": 6_000_000, "the queue itself": 14_900_000}
"""What stands on the disk beside the queue; lines take it a tenth of their length."""
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
LINES = 200_000
WARM_LINES = 40_000
MEMORY_MB = 150.0
GROWTH_MB = 20.0


def busy(asked: Asked) -> Refusal | None:
    """A server that takes no documents."""
    return Refusal(503) if "_bulk" in asked.path else None


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
@pytest.mark.parametrize("filled_by", ["others", "the queue itself"])
def test_a_full_disk_below_the_queue_is_waited_for(
    filled_by: str, elasticsearch: ElasticsearchServer, tmp_path: Path
) -> None:
    """While the queue can't grow the collector says so and the files wait; afterwards every line is there once."""
    with small_disk(tmp_path, DISK_BYTES) as disk, proxy_before(elasticsearch.url) as proxy:
        proxy.refuse = busy
        rate = 200 if filled_by == "others" else 3_000
        story = Story(tmp_path, elasticsearch, proxy.url, seconds=5.0, queue_folder=disk, lines_per_second=rate)
        (disk / "others").write_bytes(b"x" * OTHERS_BYTES[filled_by])
        ballast = disk / "ballast"
        try:
            story.start()
            with story.emitting():
                time.sleep(1.0)
                if filled_by == "others":
                    _fill(ballast)
                story.wait_until_said("is its disk full?")
                time.sleep(1.0)
            assert story.collector.pid
            ballast.unlink(missing_ok=True)
            proxy.refuse = lambda _: None
            verdict = story.drained(20.0)
        finally:
            story.collector.kill()
    assert verdict.emitted
    assert verdict.good


def _fill(path: Path) -> None:
    """Take every byte that is left."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed (apt-get install libfaketime)")
def test_a_clock_that_jumps_loses_and_doubles_nothing(elasticsearch: ElasticsearchServer, tmp_path: Path) -> None:
    """The collector's clock goes back two days and forward three while it works, waits and is killed."""
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    faked = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # a machine's own doesn't jump either
    }
    with proxy_before(elasticsearch.url) as proxy:
        story = Story(tmp_path, elasticsearch, proxy.url, seconds=6.0, environment=faked)
        try:
            story.start()
            with story.emitting():
                for jump in ("-2d", "+3d"):
                    time.sleep(1.0)
                    clock.write_text(f"{jump}\n")
                proxy.refuse = busy
                time.sleep(1.0)
                clock.write_text("-1d\n")
                story.collector.kill()
                story.start()
                time.sleep(0.5)
                clock.write_text("+0\n")
                proxy.refuse = lambda _: None
            verdict = story.drained()
        finally:
            story.collector.kill()
    assert verdict.emitted
    assert verdict.good


def test_memory_stays_flat_while_the_server_is_down(tmp_path: Path) -> None:
    """200,000 lines that come in during an outage take disk, not memory."""
    log = tmp_path / "app.log"
    line = ecs_line("an order was sold", **{"service.node.name": "checkout-1", "labels": {"order": "a" * 100}})
    with log.open("w", encoding="utf-8") as file:
        for number in range(LINES):
            file.write(f'{line[:-1]},"event.sequence":{number + 1}}}\n')
    place = Place(tmp_path, (log,), f"http://127.0.0.1:{free_port()}")
    collector = Collector(place)
    sizes: dict[int, float] = {}

    def queued() -> int:
        found = _queued_documents(place)
        if found >= WARM_LINES:
            sizes[found] = resident_mb(collector.pid)
        return found

    try:
        collector.start_and_wait()
        wait_for(lambda: queued() == LINES, what="all lines are queued", timeout_seconds=90.0)
    finally:
        collector.kill()
    assert max(sizes.values()) < MEMORY_MB
    assert sizes[LINES] - sizes[min(sizes)] < GROWTH_MB


def _queued_documents(place: Place) -> int:
    """What the collector's own metrics tell."""
    address = re.search(r"metrics on (\S+?),", place.log.read_text())
    assert address is not None
    told = httpx.get(address[1], trust_env=False, timeout=10).text
    found = re.search(r"^sereno_collector_queue_documents (\S+)$", told, re.MULTILINE)
    return int(float(found[1])) if found else 0
