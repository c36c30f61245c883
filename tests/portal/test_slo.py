"""An SLO's page: its figures, a look ahead, its groups and dependencies, who spent its budget."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from sereno_portal import PortalConfiguration
from sereno_portal.gateway import Gateway, NotAnswered
from sereno_slo.plan import series
from support.portal import BURNING, END, OVERSPENT, ROOT, at, running_portal
from support.portal_service import CALM_ROUTE, FAILING_ROUTE, GROUPS_LEFT_OUT
from support.prometheus import RunningProcess

SPENT = "/".join(OVERSPENT)
CALM = "/".join(BURNING)
EXCLUDING = """\
version: sereno/v1
service: shop
owner: sales
slos:
  - name: calls
    objective: 99
    impact: Nobody can buy <b>anything</b>
    indicator:
      ratio: {total: 'calls_total{job="shop"}', bad: 'failed_total{job="shop"}'}
exclusions:
  - {reason: provider outage, author: ada, once: {from: "2023-11-10T10:00:00Z", to: "2023-11-10T11:30:00Z"}}
  - {reason: rebuild, author: bob, weekly: {day: sunday, from: "02:00", to: "03:00", timezone: UTC}}
"""


def test_its_figures(portal: httpx.Client) -> None:
    """What the ledger counted, the policy beside the burn rates of now, groups with the least budget first."""
    told = portal.get(f"/api/v1/slos/{SPENT}").json()
    assert told["counted"]["service_level_ratio"] == pytest.approx(0.9988, abs=0.00005)
    assert told["counted"]["events"] == 10_000
    assert told["counted"]["bad_events"] == pytest.approx(12, abs=0.1)
    assert told["counted"]["bad_events_left"] == pytest.approx(-2, abs=0.1)
    assert [tier["is_page"] for tier in told["tiers"]] == [True, True, False, False]
    assert told["tiers"][0]["alerts_at"] == pytest.approx(14.4)
    assert told["tiers"][0]["burn_rate_long"] == pytest.approx(1.2, abs=0.01)
    groups = told["groups"]
    assert (groups["labels"], groups["left_out"]) == (["http_route"], GROUPS_LEFT_OUT)
    assert [group["values"] for group in groups["each"]] == [[FAILING_ROUTE], [CALM_ROUTE]]
    assert groups["each"][0]["budget_remaining_ratio"] == -0.5
    assert [(each["slo"], each["standing"]["budget_remaining_ratio"]) for each in told["needs"]] == [("database", 0.8)]


def test_its_page(portal: httpx.Client) -> None:
    """All of it, the indicator to be copied, and charts of the span that was chosen."""
    page = portal.get(f"/services/{SPENT}?span=7d").text
    assert "http_response_status_code!~&#34;20[01]&#34;" in page
    assert "of 1,000 events at most 1 may be bad" in page
    assert f'data-chart="/api/v1/slos/{SPENT}/charts/burn-rates?span=7d"' in page
    assert f'href="/runbooks/{SPENT}"' in page
    assert f'href="/services/{SPENT}/explain"' in page
    spanish = portal.get(f"/services/{SPENT}", headers={"Accept-Language": "es"}).text
    assert "Presupuesto restante" in spanish
    assert "Budget remaining" not in spanish


def test_the_budget_looks_ahead_at_the_pace_of_now(portal: httpx.Client) -> None:
    """Dashed lines go on from the last known value, a quarter of what is shown; nowhere before."""
    chart = portal.get(f"/api/v1/slos/{CALM}/charts/budget?span=1d").json()
    past, hour, day = chart["lines"]
    times = chart["times"]
    assert (past["dashed"], hour["dashed"], day["dashed"]) == (False, True, True)
    now = max(index for index, value in enumerate(past["values"]) if value is not None)
    assert times[-1] - times[now] == pytest.approx(86_400 / 4, abs=300)
    assert hour["values"][now] == past["values"][now] == pytest.approx(0.8)
    assert not any(value is not None for value in hour["values"][:now])
    # A fifth of the allowed pace: a window of 30 days spends 20 % of the budget.
    assert hour["values"][-1] == pytest.approx(0.8 - 0.2 * (times[-1] - times[now]) / (30 * 86_400))


@pytest.mark.parametrize("picture", ["budget", "burn-rates"])
def test_lines_end_with_the_figures_of_now(past: RunningProcess, picture: str) -> None:
    """However long their steps are: an hour of a month; what is ahead begins there, a whole step after it."""
    now = END - 1_250
    with running_portal(PortalConfiguration(past.url, ROOT, clock=at(now))) as client:
        told = client.get(f"/api/v1/slos/{SPENT}").json()
        chart = client.get(f"/api/v1/slos/{SPENT}/charts/{picture}?span=30d").json()
    here = chart["times"].index(now)
    assert chart["times"][here] - chart["times"][here - 1] < 3_600
    line = chart["lines"][0]
    if picture == "budget":
        assert line["values"][here] == told["standing"]["budget_remaining_ratio"]
        assert chart["times"][here + 1] - now == chart["times"][1] - chart["times"][0] == 3_600
        assert all(ahead["values"][here] == line["values"][here] for ahead in chart["lines"][1:])
    else:
        rates = {tier[name]: tier[f"burn_rate_{name}"] for tier in told["tiers"] for name in ("long", "short")}
        assert {each["label"]: each["values"][here] for each in chart["lines"]} == rates


def test_charts_have_bounds_and_marks(portal: httpx.Client) -> None:
    """Thresholds of the tiers, the deployment, the time in which the alert fired."""
    chart = portal.get(f"/api/v1/slos/{SPENT}/charts/burn-rates?span=6h").json()
    assert [(bound["value"], bound["label"]) for bound in chart["bounds"]] == [
        (pytest.approx(1), "ticket"),
        (pytest.approx(3), "ticket"),
        (pytest.approx(6), "page"),
        (pytest.approx(14.4), "page"),
    ]
    marks = {mark["label"]: mark for mark in chart["marks"]}
    assert marks["v7"]["at"] == END - 5_400
    assert marks["page"]["until"] - marks["page"]["at"] == pytest.approx(1_800, abs=300)
    events = portal.get(f"/api/v1/slos/{SPENT}/charts/events?span=1h").json()
    assert [line["values"][-1] for line in events["lines"]] == [600, 1]


@pytest.mark.parametrize("missing", [series.DEPLOYED, "ALERTS"])
def test_lines_are_drawn_where_marks_cant_be_told(
    past: RunningProcess, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Either kind may be without an answer: the others are drawn, and the chart says why something is missing."""
    for name in ("instant", "range"):
        asked = getattr(Gateway, name)

        def ask(self: Gateway, question: object, *rest: object, asked: Any = asked, **options: object) -> object:
            if missing in str(question):
                raise NotAnswered("Prometheus is slow")
            return asked(self, question, *rest, **options)

        monkeypatch.setattr(Gateway, name, ask)
    with running_portal(PortalConfiguration(past.url, ROOT, clock=at(END))) as client:
        chart = client.get(f"/api/v1/slos/{SPENT}/charts/burn-rates?span=6h").json()
    assert chart["trouble"] == "Prometheus is slow"
    assert {mark["label"] for mark in chart["marks"]} == ({"page"} if missing == series.DEPLOYED else {"v7"})
    assert any(value is not None for value in chart["lines"][0]["values"])


def test_minutes_are_judged_by_values_that_are_shown(portal: httpx.Client) -> None:
    """Of time slices there is one chart more, with the bound; of others there isn't."""
    told = portal.get("/api/v1/slos/etl/freshness").json()
    assert told["pictures"] == ["budget", "burn-rates", "events", "values"]
    assert portal.get("/api/v1/slos/etl/freshness/charts/values").json()["bounds"]
    assert portal.get(f"/api/v1/slos/{SPENT}/charts/values").status_code == 404


def test_a_journey_has_steps_instead_of_an_indicator(portal: httpx.Client) -> None:
    """And nothing of its own to explain: its steps have."""
    told = portal.get("/api/v1/slos/transactions-api/pay").json()
    assert told["is_journey"]
    assert [each["slo"] for each in told["needs"]] == ["availability", "delivery"]
    availability, delivery = (each["failed_ratio_3d"] for each in told["needs"])
    assert (availability, delivery) == (pytest.approx(0.0012, rel=0.01), pytest.approx(0.001, rel=0.01))
    assert "Steps" in portal.get("/services/transactions-api/pay").text
    explained = portal.get("/api/v1/slos/transactions-api/pay/explain")
    assert explained.status_code == 404
    assert "look at transactions-api/availability" in explained.json()["error"]


def test_who_spent_the_budget(portal: httpx.Client) -> None:
    """By raw series in the hours that spent most; the roll-ups' account is what `sereno explain` tells."""
    told = portal.get(f"/api/v1/slos/{SPENT}/explain").json()
    assert told["events"] == 288 * 3_000
    assert told["bad_events"] == 180
    assert told["remaining_ratio"] == pytest.approx(1 - 180 / 864)
    routes = next(each for each in told["breakdowns"] if each["labels"] == ["http_route"])
    assert [(each["value"], each["share"]) for each in routes["each"]] == [(FAILING_ROUTE, 1.0)]
    page = portal.get(f"/services/{SPENT}/explain").text
    assert f'<th scope="row">{FAILING_ROUTE}</th><td class="number">100.0 %</td>' in page
    asked = portal.get("/metrics").text
    assert portal.get(f"/services/{SPENT}/explain").status_code == 200
    assert portal.get("/metrics").text == asked, "an explanation is made once for everybody"


def test_nothing_to_explain_is_said(portal: httpx.Client) -> None:
    """Where no roll-ups are recorded: why, and what may be the cause."""
    answer = portal.get(f"/services/{CALM}/explain")
    assert answer.status_code == 200
    assert "has recorded nothing of etl/delivery" in answer.text


def test_time_that_doesnt_count(past: RunningProcess, tmp_path: Path) -> None:
    """When it was lately, when it comes next, who decided it and why; texts of specs are shown as text."""
    specs = tmp_path / "slo" / "specs"
    specs.mkdir(parents=True)
    (specs / "shop.slo.yaml").write_text(EXCLUDING, encoding="utf-8")
    with running_portal(PortalConfiguration(past.url, tmp_path, clock=at(END))) as client:
        once, weekly = client.get("/api/v1/slos/shop/calls").json()["exclusions"]
        page = client.get("/services/shop/calls").text
        marks = client.get("/api/v1/slos/shop/calls/charts/budget?span=7d").json()["marks"]
    assert once["before"] == [{"start": "2023-11-10T10:00:00Z", "end": "2023-11-10T11:30:00Z"}]
    assert once["next"] is None
    assert weekly["before"][0] == {"start": "2023-11-12T02:00:00Z", "end": "2023-11-12T03:00:00Z"}
    assert weekly["next"] == {"start": "2023-11-19T02:00:00Z", "end": "2023-11-19T03:00:00Z"}
    assert {mark["label"] for mark in marks} == {"provider outage", "rebuild"}
    assert "<b>anything" not in page
    assert "&lt;b&gt;anything" in page
