"""A service's page: its SLOs, what it does now by its raw series, deployments, incidents; names are never trusted."""

from datetime import datetime
from pathlib import Path

import httpx
import pytest
from sereno_backends.prometheus import PrometheusClient, PrometheusError, Sample
from sereno_portal import PortalConfiguration
from sereno_portal.gateway import gateway
from sereno_postmortems.sources import DatabaseIncidents, HttpIncidents
from support.open_incidents import incidents_with
from support.portal import END, OVERSPENT, ROOT, at, running_portal
from support.portal_service import DEPLOYED, EVENTS_A_MINUTE, FAILED_A_MINUTE, FAILING_ROUTE, SERVICE
from support.ports import free_port
from support.prometheus import RunningProcess

EVENTS = sum(EVENTS_A_MINUTE.values())


def test_what_it_does_now(portal: httpx.Client) -> None:
    """Rate, failures and durations by the indicators' own selectors, and what fails by route and status."""
    told = portal.get(f"/api/v1/services/{SERVICE}").json()
    now = {each["slo"]: each for each in told["now"]}
    assert now["availability"]["events_per_minute"] == pytest.approx(EVENTS)
    assert now["availability"]["failed_ratio"] == pytest.approx(FAILED_A_MINUTE / EVENTS)
    assert now["availability"]["p99_seconds"] is None
    # Half is faster than 0.1 s, the rest lies between that and 0.25 s.
    assert now["latency"]["p50_seconds"] == pytest.approx(0.1)
    assert now["latency"]["p99_seconds"] == pytest.approx(0.1 + 0.98 * 0.15)
    assert now["delivery"]["events_per_minute"] is None, "what has no series isn't a zero"
    assert [(each["slo"], each["labels"]["http_route"]) for each in told["failing"]] == [
        ("availability", FAILING_ROUTE)
    ]
    assert told["failing"][0]["bad_per_minute"] == pytest.approx(FAILED_A_MINUTE)
    assert told["deployments"] == [{"at": "2023-11-14T20:43:20Z", "version": DEPLOYED}]


def test_its_page_shows_all_of_it(portal: httpx.Client) -> None:
    """SLOs in order of urgency, its spec by its path in the repository, charts by their addresses."""
    page = portal.get(f"/services/{SERVICE}").text
    assert page.index(f"/services/{SERVICE}/availability") < page.index(f"/services/{SERVICE}/pay")
    assert "slo/specs/transactions-api.slo.yaml" in page
    assert str(ROOT) not in page
    for picture in ("throughput", "failed", "duration", "failing"):
        assert f'data-chart="/api/v1/services/{SERVICE}/charts/{picture}?span=6h"' in page
    assert "This portal wasn&#39;t told where incidents are kept." in page


@pytest.mark.parametrize(
    ("picture", "labels"),
    [
        ("throughput", ["availability, latency"]),
        ("failed", ["availability"]),
        ("duration", ["P50", "P95", "P99"]),
        ("failing", [f"availability: POST 500 {FAILING_ROUTE}"]),
    ],
)
def test_its_charts(portal: httpx.Client, picture: str, labels: list[str]) -> None:
    """One line for each way of counting, none for what isn't there; every line is as long as the times."""
    chart = portal.get(f"/api/v1/services/{SERVICE}/charts/{picture}?span=1h").json()
    assert [line["label"] for line in chart["lines"]] == labels
    assert all(len(line["values"]) == len(chart["times"]) for line in chart["lines"])
    assert all(line["values"][-1] for line in chart["lines"])


def test_words_of_charts_are_in_the_language_of_who_asks(portal: httpx.Client) -> None:
    """As the page around them."""
    chart = portal.get(f"/api/v1/services/{SERVICE}/charts/throughput", headers={"Accept-Language": "es"}).json()
    assert chart["title"] == "Caudal"


@pytest.mark.parametrize("address", ["/services/transaction-api", "/services/transactions-api/avail"])
def test_an_unknown_name_is_answered_with_the_nearest(portal: httpx.Client, address: str) -> None:
    """404, as a page."""
    answer = portal.get(address)
    assert answer.status_code == 404
    assert "do you mean" in answer.text
    assert "transactions-api" in answer.text
    spanish = portal.get(address, headers={"Accept-Language": "es"}).text
    assert "no existe el" in spanish
    assert "¿quiere decir" in spanish


@pytest.mark.parametrize("name", ['x"} or vector(1) #', "<script>alert(1)</script>", "..%2f..%2fetc", "%00"])
def test_hostile_names_ask_nothing_and_are_shown_as_text(portal: httpx.Client, name: str) -> None:
    """They are looked up in the specs, and nowhere else."""
    before = portal.get("/metrics").text
    for address in (f"/services/{name}", f"/services/{SERVICE}/{name}", f"/api/v1/slos/{SERVICE}/{name}/charts/budget"):
        answer = portal.get(address)
        assert answer.status_code == 404
        assert "<script>alert" not in answer.text
    assert portal.get("/metrics").text == before


def test_only_the_offered_stretches_of_time(portal: httpx.Client) -> None:
    """Any other is 422."""
    assert portal.get(f"/api/v1/services/{SERVICE}/charts/failed?span=90000d").status_code == 422
    assert portal.get(f"/services/{SERVICE}?span=1y").status_code == 422


def test_open_incidents_and_who_is_on_them(past: RunningProcess, tmp_path: Path) -> None:
    """On the overview, the service, the SLO and the wall; what is over is on none of them."""
    store = incidents_with(tmp_path / "i.sqlite", taken_by="ada")
    configuration = PortalConfiguration(past.url, ROOT, DatabaseIncidents(store), clock=at(END))
    with running_portal(configuration) as client:
        pages = {address: client.get(address).text for address in ("/", "/wall", f"/services/{OVERSPENT[0]}")}
        pages["slo"] = client.get(f"/services/{OVERSPENT[0]}/{OVERSPENT[1]}").text
    for address, text in pages.items():
        assert "/incidents/2026-11-22-transactions-api-availability-2" in text, address
        assert address == "/" or "ada is on it" in text, address
        assert "2026-11-22-transactions-api-availability&#34;" not in text


def test_incidents_that_cant_be_read_take_no_page_away(past: RunningProcess) -> None:
    """Every page says so."""
    nobody = HttpIncidents(f"http://127.0.0.1:{free_port()}")
    with running_portal(PortalConfiguration(past.url, ROOT, nobody, clock=at(END))) as client:
        for address in ("/", "/wall", f"/services/{SERVICE}", f"/services/{SERVICE}/availability"):
            answer = client.get(address)
            assert answer.status_code == 200, address
            assert "Open incidents can&#39;t be told" in answer.text, address


def test_old_figures_are_told_to_be_old(past: RunningProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where budgets are of now, and raw series or groups aren't: the page of the service, and of the SLO."""
    monkeypatch.setattr(gateway, "FRESH_SECONDS", 0.0)
    asked = PrometheusClient.instant
    refused: list[str] = []

    def instant(client: PrometheusClient, expr: str, at: datetime) -> tuple[Sample, ...]:
        if any(part in expr for part in refused):
            raise PrometheusError("the raw series are away")
        return asked(client, expr, at)

    monkeypatch.setattr(PrometheusClient, "instant", instant)
    with running_portal(PortalConfiguration(past.url, ROOT, clock=at(END))) as client:
        service, slo = f"/services/{SERVICE}", f"/services/{SERVICE}/availability"
        for page in (service, slo):
            assert "Not everything is of now" not in client.get(page).text
        for parts, page in ((["rate("], service), (["topk"], service), (["groups_left_out"], slo)):
            refused[:] = parts
            text = client.get(page).text
            assert "the raw series are away" in text, parts
            assert FAILING_ROUTE in text, parts
