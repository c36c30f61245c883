"""The soak's verdict on known growth; its short form: what serves requests holds no more after many than after few."""

import asyncio
import gc
import math
import os
from pathlib import Path
from random import Random

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sereno_telemetry import instrument
from support.incidents import PAGE, at, reported, running_receiver, webhook

from benchmarks.soak.judging import MEGABYTE, growth
from benchmarks.soak.sampling import Sample, sample
from benchmarks.soak.slopes import theil_sen


def hour(bytes_an_hour: float, *, files_an_hour: float = 0.0) -> list[Sample]:
    """A warm-up, growth, noise as an allocator has it, and a peak now and then."""
    chance = Random(1)
    found = []
    for number in range(360):
        share = number / 360
        used = 60e6 + 20e6 * min(1.0, share * 8) + share * bytes_an_hour + chance.gauss(0, 3e5)
        used += 30e6 * (number % 50 == 0)
        size = int(used)
        found.append(Sample(number * 10.0, size + 20_000_000, size, 20 + int(share * files_an_hour), 8))
    return found


def test_the_slope_is_that_of_the_growth_whatever_peaks_there_are() -> None:
    """The interval holds the true slope; two samples tell nothing."""
    found = growth("part", hour(5 * MEGABYTE)).slope
    assert found.low < 5 * MEGABYTE < found.high
    assert found.high - found.low < MEGABYTE
    assert theil_sen([(0.0, 1.0), (1.0, 2.0)]).high == math.inf


def test_what_grows_is_not_flat() -> None:
    """Memory beyond the limit, files that are never closed, and a part that nobody saw."""
    assert growth("part", hour(0.0)).flat
    assert growth("part", hour(MEGABYTE)).flat
    assert not growth("part", hour(3 * MEGABYTE)).flat
    assert not growth("part", hour(0.0, files_an_hour=60)).flat
    assert not growth("part", []).flat


def test_telemetry_holds_no_more_objects_after_many_requests() -> None:
    """When all caches are filled, five hundred requests of a service, a third of which fail, leave nothing behind."""
    app = FastAPI()

    @app.get("/items/{number}")
    def item(number: int) -> int:
        return 1 // (number % 3)

    instrument(app, service="shop", registry=CollectorRegistry())

    async def held_after(*requests: int) -> list[int]:
        found = []
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            for count in requests:
                for number in range(count):
                    await client.get(f"/items/{number % 9}")
                gc.collect()
                found.append(len(gc.get_objects()))
        return found

    few, many = asyncio.run(held_after(1_000, 500))
    assert many - few < 100  # a request that left one object behind would be five times that


def test_a_receiver_holds_no_more_files_after_many_deliveries(tmp_path: Path) -> None:
    """Its connections to the database and to senders are closed; its threads are those of the pool."""
    database = tmp_path / "incidents.sqlite"
    # Each delivery by a connection of its own, as some senders do.
    alone = {"Connection": "close"}
    with (
        running_receiver(database) as server,
        httpx.Client(base_url=server.url, headers=alone, trust_env=False) as client,
    ):

        def held_after(first: int, end: int) -> Sample:
            for number in range(first, end):
                body = webhook([reported({**PAGE, "slo": f"slo-{number}"}, at(10))])
                client.post("/api/v1/alertmanager", json=body).raise_for_status()
            found = sample(server.process.pid, 0.0)
            assert found is not None
            return found

        few, many = held_after(0, 50), held_after(50, 250)
    assert many.open_files <= few.open_files + 2
    assert many.threads <= few.threads + 2


def test_a_process_that_is_gone_is_no_sample() -> None:
    """Ours is one."""
    own = sample(os.getpid(), 1.0)
    assert own is not None
    assert own.anonymous_bytes > MEGABYTE
    assert sample(2**22 + 1, 1.0) is None
