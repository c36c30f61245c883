"""The server: what its addresses answer, bounded in scrapes and time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event

import httpx
import pytest
from sereno_exporters.frame import serving
from sereno_exporters.frame.configuration import ConfiguredTarget
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.scraping import Scrapers
from sereno_exporters.frame.serving import create_app
from sereno_exporters.frame.trouble import FetchError, Reason
from support.exporting import VALUE, configured, counting, part, samples_of


def fail(_: Deadline) -> dict[str, float]:
    """A part that can't be fetched."""
    raise FetchError(Reason.UNREACHABLE, "down <b>there</b>")


@asynccontextmanager
async def server_of(*targets: ConfiguredTarget) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application on these targets."""
    scrapers = Scrapers(targets, report=lambda _: None)
    transport = httpx.ASGITransport(create_app(scrapers))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter:19096") as client:
            yield client
    finally:
        scrapers.close()


def test_everything_one_target_and_itself() -> None:
    """`/metrics` has all targets and the server's own, `/probe` one target only, `/self/metrics` the server's only."""

    async def story() -> None:
        kind = counting(part("p", lambda _: {"a": 1.0}))
        async with server_of(configured(kind, "one"), configured(kind, "two")) as client:
            everything = samples_of((await client.get("/metrics")).text)
            one = samples_of((await client.get("/probe", params={"exporter": "counting", "target": "two"})).text)
            own = samples_of((await client.get("/self/metrics")).text)
        assert {dict(labels)["target"] for name, labels in everything if name == VALUE.name} == {"one", "two"}
        assert {dict(labels)["target"] for name, labels in one if name == VALUE.name} == {"two"}
        assert not [name for name, _ in one if name.startswith(("process_", "sereno_exporter_"))]
        assert own["sereno_exporter_scrapes_total", (("outcome", "served"),)] == 2
        assert not [name for name, _ in own if name == VALUE.name]

    asyncio.run(story())


def test_openmetrics_is_served_to_who_asks_for_it() -> None:
    """Prometheus' own Accept header brings OpenMetrics, in which counters keep their names."""

    async def story() -> None:
        async with server_of(configured(counting(part("p", fail)))) as client:
            accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
            await client.get("/metrics")
            answer = await client.get("/metrics", headers={"Accept": accept})
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        assert answer.text.endswith("# EOF\n")
        assert (
            'sereno_exporter_fetch_failures_total{exporter="counting",part="p",reason="unreachable",target="one"} 2.0'
            in answer.text
        )

    asyncio.run(story())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "no exporter of that name is configured; there are: counting"),
        ({"exporter": "countin", "target": "orders"}, "did you mean counting?"),
        ({"exporter": "counting", "target": "order"}, "did you mean orders?"),
        ({"exporter": "counting", "target": "http://169.254.169.254/"}, "targets are named in the configuration"),
        ({"exporter": "counting", "target": "orders\x00"}, "targets are named in the configuration"),
    ],
)
def test_only_configured_names_are_asked(asked: dict[str, str], told: str) -> None:
    """A name that isn't configured is 404 with the nearest one; an address is never followed."""

    async def story() -> None:
        async with server_of(configured(counting(part("p", lambda _: {"a": 1.0})), "orders")) as client:
            answer = await client.get("/probe", params=asked)
        assert answer.status_code == 404
        assert told in answer.json()["error"]

    asyncio.run(story())


def test_discovery_leads_to_each_target() -> None:
    """What `/sd` lists is how Prometheus reaches `/probe` for each target, and each has an `up` of its own."""

    async def story() -> None:
        kind = counting(part("p", lambda _: {"a": 1.0}))
        async with server_of(configured(kind, "one"), configured(kind, "two")) as client:
            groups = (await client.get("/sd")).json()
            assert [group["targets"] for group in groups] == [["exporter:19096"]] * 2
            instances = [group["labels"]["instance"] for group in groups]
            assert instances == ["exporter:19096/counting/one", "exporter:19096/counting/two"]
            for group in groups:
                labels = group["labels"]
                parameters = {name.removeprefix("__param_"): labels[name] for name in labels if "param" in name}
                answer = await client.get(labels["__metrics_path__"], params=parameters)
                assert f'target="{parameters["target"]}"' in answer.text

    asyncio.run(story())


def test_a_scrape_keeps_within_what_prometheus_grants() -> None:
    """With half a second granted, a target that hangs is down in less, though its own timeout is longer."""
    ended = Event()

    async def story() -> None:
        kind = counting(part("p", lambda _: ended.wait(20) or {}))
        async with server_of(configured(kind, timeout_seconds=30)) as client:
            asked = client.get("/metrics", headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.5"})
            found = samples_of((await asyncio.wait_for(asked, 5)).text)
            ended.set()
        assert found["sereno_counting_up", (("target", "one"),)] == 0

    asyncio.run(story())


@pytest.mark.parametrize("granted", ["", "soon", "-1", "nan", "inf", "0"])
def test_a_strange_grant_is_none(granted: str) -> None:
    """A header that says no time leaves the target's own timeout."""

    async def story() -> None:
        async with server_of(configured(counting(part("p", lambda _: {"a": 1.0})))) as client:
            answer = await client.get("/metrics", headers={"X-Prometheus-Scrape-Timeout-Seconds": granted})
        assert samples_of(answer.text)["sereno_counting_up", (("target", "one"),)] == 1

    asyncio.run(story())


def test_scrapes_beyond_the_limit_are_refused_and_the_others_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """More scrapes at once than the server holds are 503, and counted."""
    monkeypatch.setattr(serving, "MOST_SCRAPES", 2)
    begun, go_on = Event(), Event()

    def fetch(_: Deadline) -> dict[str, float]:
        begun.set()
        go_on.wait(20)
        return {"a": 1.0}

    async def story() -> None:
        async with server_of(configured(counting(part("p", fetch)))) as client:
            waiting = [asyncio.create_task(client.get("/metrics")) for _ in range(2)]
            await asyncio.to_thread(begun.wait, 10)
            while (refused := await client.get("/metrics")).status_code != 503:
                raise AssertionError("a third scrape was let in")
            go_on.set()
            assert {(await each).status_code for each in waiting} == {200}
            own = samples_of((await client.get("/self/metrics")).text)
        assert "2 scrapes are waiting" in json.loads(refused.text)["error"]
        assert own["sereno_exporter_scrapes_total", (("outcome", "refused"),)] == 1

    asyncio.run(story())


def test_the_page_tells_what_troubles_a_target() -> None:
    """Targets are listed with the reason of the last failure, harmless for a browser."""

    async def story() -> None:
        async with server_of(configured(counting(part("p", fail)), "orders")) as client:
            before = (await client.get("/")).text
            await client.get("/metrics")
            after = (await client.get("/")).text
        assert "no trouble known" in before
        assert "/probe?exporter=counting&amp;target=orders" in before
        assert "down &lt;b&gt;there&lt;/b&gt; (tried twice)" in after

    asyncio.run(story())


def test_a_long_exposition_is_packed_for_who_takes_it() -> None:
    """Gzip where the scraper says so."""

    async def story() -> None:
        many = {f"v{number}": 1.0 for number in range(500)}
        async with server_of(configured(counting(part("p", lambda _: many)))) as client:
            packed = await client.get("/metrics", headers={"Accept-Encoding": "gzip"})
            plain = await client.get("/metrics", headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert VALUE.name in packed.text

    asyncio.run(story())
