"""Dashboards on a real Prometheus: every panel shows data, and the figures are right."""

from typing import Any

import pytest
from sereno_slo.plan.series import EXHAUSTED_IN
from sereno_slo.render.dashboards import render_dashboards
from sereno_slo.render.queries import NEVER_SECONDS
from support import grafana
from support.recorded import Ask
from support.slo_services import SETTINGS, all_services

DASHBOARDS = {a.name: grafana.read(a.content) for a in render_dashboards(all_services(), SETTINGS)}
ALL = ".+"


def numbers(result: list[dict[str, Any]]) -> list[float]:
    """Every value of an answer, instant or range."""
    return [float(v) for series in result for _, v in series.get("values", [series.get("value")])]


def value(ask: Ask, dashboard: str, panel: str) -> float:
    """The one value that a panel of one query shows."""
    (query,) = [query for query in grafana.queries(DASHBOARDS[dashboard]) if query.panel == panel]
    (number,) = numbers(ask(query.expr))
    return number


# The dashboard of any SLO opens with the first one, which is never excluded and depends on nothing.
EMPTY_AT_FIRST = {"Excluded time", "Depends on"}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_no_panel_is_empty(ask: Ask, name: str) -> None:
    """Every query of every panel returns numbers, although the five-minute groups are late."""
    for query in grafana.queries(DASHBOARDS[name]):
        found = numbers(ask(query.expr, instant=query.instant, by_days=query.by_days))
        assert found or (name == "slo.json" and query.panel in EMPTY_AT_FIRST), f"{query.panel} is empty: {query.expr}"
        assert all(number == number for number in found), f"{query.panel} has NaN: {query.expr}"  # noqa: PLR0124 - NaN differs from itself


def test_figures_of_an_overspent_budget(ask: Ask) -> None:
    """20 bad of 10,000 events against 99.9 %: twice the budget, ten events too many, nothing left and nothing burns."""
    shown = {
        subject: value(ask, "transactions-api.json", f"availability: {subject}")
        for subject in (
            "budget remaining",
            "service level",
            "bad events left",
            "budget gone in, 1h pace",
            "burn rate, 1h",
            "coverage",
        )
    }
    assert shown == pytest.approx(
        {
            "budget remaining": -1,
            "service level": 0.998,
            "bad events left": -10,
            "budget gone in, 1h pace": 0,
            "burn rate, 1h": 0,
            "coverage": 0.98,
        }
    )


def test_figures_of_a_healthy_budget(ask: Ask) -> None:
    """20 bad of 10,000 events against 99 % of 7 days: 80 % left, gone in four weeks at a burn rate of 0.2."""
    assert value(ask, "transactions-api.json", "latency: budget remaining") == pytest.approx(0.8)
    assert value(ask, "transactions-api.json", "latency: burn rate, 1h") == pytest.approx(0.2)
    assert value(ask, "transactions-api.json", "latency: bad events left") == pytest.approx(80)
    assert value(ask, "transactions-api.json", "latency: budget gone in, 1h pace") == pytest.approx(28 * 86_400)


def test_figures_where_nothing_burns(ask: Ask) -> None:
    """A burn rate of 0 is shown as a budget that lasts ten windows, which the panel calls "not in sight"."""
    assert value(ask, "etl-worker.json", "stage: budget remaining") == 1
    never = value(ask, "etl-worker.json", "stage: budget gone in, 1h pace")
    assert never == 10 * 30 * 86_400
    panel = next(p for p in DASHBOARDS["etl-worker.json"]["panels"] if p["title"] == "stage: budget gone in, 1h pace")
    in_words = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
    assert (in_words["from"], in_words["result"]["text"]) == (never, "not in sight")


def test_rate_errors_duration(ask: Ask) -> None:
    """Throughput counts a minute, failures are a part of it, percentiles lie in the right bucket."""
    by_panel: dict[str, list[float]] = {}
    for query in grafana.queries(DASHBOARDS["transactions-api.json"]):
        if query.panel in {"Throughput", "Failed", "Duration"}:
            by_panel.setdefault(query.panel, []).append(numbers(ask(query.expr, instant=False))[-1])
    assert by_panel["Throughput"] == pytest.approx([1200, 1200])
    assert by_panel["Failed"] == pytest.approx([0.25])
    median, p95, p99 = by_panel["Duration"]
    assert 0 < median < 0.3
    assert 0.5 < p95 < p99 < 1


def test_choosing_an_instance_leaves_the_others_out(ask: Ask) -> None:
    """The instance variable reaches every raw query: the second instance has no failures, and no gap either."""
    queries = grafana.queries(DASHBOARDS["transactions-api.json"], instance="10.0.0.2:8080")
    failed = next(query for query in queries if query.panel == "Failed")
    assert set(numbers(ask(failed.expr, instant=False))) == {0.0}


TROUBLED = {("transactions-api", "availability"), ("transactions-api", "latency"), ("etl-worker", "rows")}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [({}, TROUBLED), ({"show": ALL}, TROUBLED | {("etl-worker", "stage"), ("transactions-api", "pay")})],
)
def test_the_overview_shows_trouble_only_until_asked(
    ask: Ask, chosen: dict[str, str], expected: set[tuple[str, str]]
) -> None:
    """Listed at first, in every column, is what is overspent, burns or has no data; the switch adds the calm ones."""
    for query in grafana.queries(DASHBOARDS["overview.json"], **chosen):
        if query.panel in {"SLOs by urgency", "Budget remaining", "Burn rate, 1h"}:
            result = ask(query.expr)
            names = [(series["metric"]["service"], series["metric"]["slo"]) for series in result]
            assert sorted(names) == sorted(expected), query.expr


def test_the_overview_of_one_service(ask: Ask) -> None:
    """The service variable reaches every query."""
    for query in grafana.queries(DASHBOARDS["overview.json"], service="etl-worker", show=ALL):
        for series in ask(query.expr):
            assert series["metric"].get("service", "etl-worker") == "etl-worker"
    assert numbers(ask(next(grafana.queries(DASHBOARDS["overview.json"], service="etl-worker")).expr)) == [2]


def test_the_overview_counts(ask: Ask) -> None:
    """Four SLOs and a journey, one of them misses its service level, one burns, one is without data."""
    titles = ("SLOs", "Missing their service level", "Burning", "Without data", "Least budget remaining")
    assert [value(ask, "overview.json", title) for title in titles] == pytest.approx([5, 1, 1, 1, -1])


def test_the_overviews_rows_know_owner_and_dashboard(ask: Ask) -> None:
    """Each row carries owner and tier, and the uid that the link of the service's name needs."""
    queries = grafana.queries(DASHBOARDS["overview.json"], show=ALL)
    identity = next(query for query in queries if query.panel == "SLOs by urgency")
    rows = [series["metric"] for series in ask(identity.expr)]
    assert {row["dashboard"] for row in rows} == {"sereno-transactions-api", "sereno-etl-worker"}
    assert {(row["owner"], row["tier"]) for row in rows} == {("payments", "critical")}


def test_variables_find_their_values(ask: Ask) -> None:
    """The series that variables list values of exist and carry the label."""
    for dashboard in DASHBOARDS.values():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                query = grafana.filled_in(variable["query"], grafana.variables(dashboard))
                series, _, label = query.removeprefix("label_values(").rstrip(")").rpartition(", ")
                assert all(label in found["metric"] for found in ask(series))
                assert ask(series)


def rows(ask: Ask, panel: str, **chosen: str) -> list[dict[str, float]]:
    """For each query of the overview's panel: what it says of which SLO."""
    asked = [query for query in grafana.queries(DASHBOARDS["overview.json"], **chosen) if query.panel == panel]
    return [
        {one["metric"]["slo"]: float(one["value"][1]) for one in ask(query.expr, by_days=query.by_days)}
        for query in asked
    ]


def test_the_overview_ranks_by_urgency(ask: Ask) -> None:
    """Without data is -1, spent is gone now, what nobody has failed is gone in ten years: these have words."""
    _, gone_in, *_ = rows(ask, "SLOs by urgency", show=ALL)
    assert gone_in["availability"] == 0
    assert gone_in["rows"] == 30 * 86_400
    assert gone_in["stage"] == NEVER_SECONDS
    assert gone_in["latency"] == -1
    assert sorted(gone_in, key=lambda name: gone_in[name])[:2] == ["latency", "availability"]


def test_an_overspent_budget_is_spent_although_no_pace_is_recorded(ask: Ask) -> None:
    """What is overspent leads, also before the first figure of when it was to be gone."""
    asked = [one for one in grafana.queries(DASHBOARDS["overview.json"], show=ALL) if one.panel == "SLOs by urgency"]
    (pace,) = [one.expr for one in asked if EXHAUSTED_IN in one.expr]
    found = ask(pace.replace(EXHAUSTED_IN, "not_recorded"))
    gone_in = {one["metric"]["slo"]: float(one["value"][1]) for one in found}
    assert (gone_in["availability"], gone_in["rows"], gone_in["stage"]) == (0, NEVER_SECONDS, NEVER_SECONDS)


@pytest.mark.parametrize(
    ("name", "title", "own", "other"),
    [
        ("transactions-api.json", "latency: budget gone in, 1h pace", "every hour is like the last one", "last day"),
        ("slo.json", "Budget gone in, 1d pace", "every day is like the last one", "last hour"),
        ("overview.json", "SLOs by urgency", "pace of the last day", "last hour"),
    ],
)
def test_each_dashboard_says_whose_pace_it_goes_on_at(name: str, title: str, own: str, other: str) -> None:
    """Figures differ between dashboards: each tells its own pace, and that another has another."""
    (panel,) = [panel for panel in grafana.panels(DASHBOARDS[name]) if panel["title"] == title]
    assert own in panel["description"]
    assert other in panel["description"]


def test_the_overviews_calendar_tells_what_a_day_spent(ask: Ask) -> None:
    """Asked at midnight, it tells of today: 20 bad events, where the window allows 100 (or 250); only of trouble."""
    assert rows(ask, "Budget spent, day by day") == [pytest.approx({"availability": 0, "latency": 0.2, "rows": 0.08})]
    assert set(rows(ask, "Budget spent, day by day", show=ALL)[0]) > {"stage"}


def test_the_overview_tells_what_changed_since_yesterday(ask: Ask) -> None:
    """Losses and gains beside what they were; budgets that nobody knew yesterday are no change."""
    change, now, yesterday = rows(ask, "Budgets since yesterday")
    assert change == pytest.approx({"availability": -0.5, "latency": -0.1, "rows": 0.02})
    assert now == pytest.approx({"availability": -1, "latency": 0.8, "rows": 0.92})
    assert yesterday == pytest.approx({"availability": -0.5, "latency": 0.9, "rows": 0.9})


def test_the_overview_tells_which_alerts_began_and_ended(ask: Ask) -> None:
    """Two fire that didn't yesterday, one fired within the day and is over; another window's end is none."""
    assert rows(ask, "Alerts since yesterday") == [{"rows": 1, "latency": 1, "pay": 0}]
