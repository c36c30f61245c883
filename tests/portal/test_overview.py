"""The overview: who needs somebody first, a switch for all, and few questions however many look."""

import re
from collections.abc import Iterator

import httpx
import pytest
from sereno_portal import PortalConfiguration
from sereno_portal.gateway import gateway
from sereno_portal.open_incidents import OpenIncidents
from sereno_portal.pages.overview import ROWS_OF_A_PAGE, Overview, Show, listing
from sereno_portal.standings import Standing
from support.closable_door import ClosableDoor
from support.portal import BURNING, END, OVERSPENT, ROOT, SPARSE, at, running_portal
from support.prometheus import RunningProcess

CALM = END - 1.5 * 86_400
"""Nothing was overspent then, and nothing fired."""
BEFORE = END - 30 * 86_400
"""Nothing was recorded yet."""


@pytest.fixture(scope="module")
def calm(past: RunningProcess) -> Iterator[httpx.Client]:
    """A portal that looks at a day without trouble."""
    with running_portal(PortalConfiguration(prometheus=past.url, root=ROOT, clock=at(CALM))) as client:
        yield client


def test_who_needs_somebody_comes_first(portal: httpx.Client) -> None:
    """What is spent before what has an alert; each with its figures; then all others."""
    told = portal.get("/api/v1/overview").json()
    spent, burning, *others = told["rows"]
    assert told["in_trouble"] == 2
    assert (spent["service"], spent["slo"]) == OVERSPENT
    assert spent["budget_remaining_ratio"] == pytest.approx(-0.2, abs=0.01)
    assert spent["changed_since_yesterday_ratio"] == pytest.approx(-0.4, abs=0.01)
    assert (spent["gone_in_seconds"], spent["coverage_ratio"]) == (0, 0.98)
    assert spent["burn_rate_1h"] == pytest.approx(1.2, abs=0.01)
    assert (burning["service"], burning["slo"]) == BURNING
    assert burning["told"] == [{"alert": "SLOErrorBudgetBurn", "is_page": True, "since": "2023-11-14T21:43:20Z"}]
    # 80 % of a window of 30 days at a fifth of the allowed pace.
    assert burning["gone_in_seconds"] == pytest.approx(120 * 86_400, rel=0.001)
    assert not any(each["is_in_trouble"] or each["told"] for each in others)


def test_a_pace_without_evidence_is_no_trouble(portal: httpx.Client) -> None:
    """Four failures of five calls would spend the budget within a day, and tell nothing."""
    rows = portal.get("/api/v1/overview").json()["rows"]
    sparse = next(row for row in rows if (row["service"], row["slo"]) == SPARSE)
    assert 0 < sparse["gone_in_seconds"] < 86_400
    assert not sparse["is_in_trouble"]


def test_only_trouble_is_listed_until_everything_is_asked_for(portal: httpx.Client) -> None:
    """The page links each SLO, its service and its runbook."""
    page = portal.get("/").text
    assert "2 of 26 SLOs need somebody" in page
    assert re.findall(r'<th scope="row"><a href="([^"]*)"', page) == [
        f"/services/{service}/{slo}" for service, slo in (OVERSPENT, BURNING)
    ]
    assert f'href="/runbooks/{OVERSPENT[0]}/{OVERSPENT[1]}"' in page
    assert "page, <time" in page
    everything = portal.get("/?show=all").text
    assert everything.count('<th scope="row">') == 26


def test_a_filter_is_a_part_of_a_service_or_an_owner(portal: httpx.Client) -> None:
    """Whatever is typed is shown as text, and asks Prometheus nothing."""
    found = portal.get("/", params={"show": "all", "text": "ETL"}).text
    assert set(re.findall(r'<td><a href="/services/([^"]*)"', found)) == {"etl"}
    owned = portal.get("/", params={"show": "all", "text": "payments"}).text
    assert "/services/transactions-api" in owned
    hostile = portal.get("/", params={"show": "all", "text": '"><script>alert(1)</script>'})
    assert hostile.status_code == 200
    assert "<script>alert" not in hostile.text
    assert portal.get("/", params={"text": "x" * 101}).status_code == 422


def test_calm_is_told(calm: httpx.Client) -> None:
    """Where nothing is overspent and nothing fires."""
    assert calm.get("/api/v1/overview").json()["in_trouble"] == 0
    assert "All is calm" in calm.get("/").text
    assert "Todo está en calma" in calm.get("/?lang=es").text


def test_what_nobody_knows_is_not_calm(past: RunningProcess) -> None:
    """SLOs that nothing was recorded of are counted, and said to be unknown."""
    with running_portal(PortalConfiguration(prometheus=past.url, root=ROOT, clock=at(BEFORE))) as client:
        page = client.get("/").text
        wall = client.get("/wall").text
    assert "Of 26 SLOs no budget is recorded" in page
    assert "All is calm" not in page + wall


def test_three_questions_for_everybody(past: RunningProcess) -> None:
    """However many look, at the overview, the wall or the JSON."""
    with running_portal(PortalConfiguration(prometheus=past.url, root=ROOT, clock=at(END))) as client:
        for address in ("/", "/?show=all", "/api/v1/overview", "/wall", "/"):
            assert client.get(address).status_code == 200
        assert "sereno_portal_prometheus_questions_total 3.0" in client.get("/metrics").text


def test_the_last_known_state_is_shown_while_prometheus_is_away(
    past: RunningProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the moment and the cause; a wall isn't calm then."""
    monkeypatch.setattr(gateway, "FRESH_SECONDS", 0.0)
    door = ClosableDoor(httpx.URL(past.url).port or 0)
    door.open()
    try:
        with running_portal(PortalConfiguration(prometheus=door.url, root=ROOT, clock=at(CALM))) as client:
            assert "All is calm" in client.get("/wall").text
            door.close()
            page, wall = client.get("/"), client.get("/wall").text
            slo = client.get("/services/etl/delivery")
            chart = client.get("/api/v1/slos/etl/delivery/charts/budget")
    finally:
        door.close()
    assert page.status_code == 200
    assert "the figures are of 2023-11-13 10:13 UTC" in page.text
    assert "All is calm" not in page.text + wall
    assert "80.0 %" in slo.text, "what all pages know is shown on each of them"
    assert chart.status_code == 503, "what was never asked can't be told"


def test_a_thousand_rows_are_pages() -> None:
    """Of two hundred each; a page beyond the last is the last."""
    rows = tuple(_standing(number) for number in range(450))
    overview = Overview(at(END)(), "", 0, 0, rows, OpenIncidents(), ())
    last = listing(overview, Show.ALL, "", 99)
    assert (last.number, last.pages, last.found, len(last.rows)) == (3, 3, 450, 50)
    assert listing(overview, Show.ALL, "", 2).rows == rows[ROWS_OF_A_PAGE : 2 * ROWS_OF_A_PAGE]
    assert listing(overview, Show.TROUBLE, "", 1).rows == ()


def _standing(number: int) -> Standing:
    return Standing(f"s{number}", "a", "o", 99.9, 1.0, 0.0, 0.0, None, 1.0, (), is_in_trouble=False)
