"""Dashboards without Grafana: what panels show is what Prometheus has, and no value of an address becomes a query."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import promql_parser
import pytest
from sereno_backends.grafana import Dashboard, Mapped, Matched
from sereno_portal.pages.dashboards import fields, heatmaps, lines, shelf, states, tables
from sereno_portal.pages.dashboards.choices import Choices
from sereno_portal.pages.dashboards.shelf import Broken, DashboardFiles, Shelved
from sereno_portal.pages.dashboards.times import shown, understood
from sereno_portal.web.languages import words_of
from support.portal import END, OVERSPENT, ROOT
from support.portal_dashboards import DEPLOYED, HOSTILE
from support.prometheus import RunningProcess

SHOWN = "/api/v1/dashboards/shown/panels"


def answer(client: httpx.Client, address: str, **parameters: Any) -> Any:
    """The JSON at an address, which is there."""
    found = client.get(address, params=parameters or None)
    assert found.status_code == 200, found.text
    return found.json()


def prometheus(server: RunningProcess, expr: str, at: float = END) -> list[Any]:
    """What the server itself says."""
    found = httpx.get(f"{server.url}/api/v1/query", params={"query": expr, "time": at}, trust_env=False).json()
    return [float(each["value"][1]) for each in found["data"]["result"]]


def test_every_dashboard_of_the_repository_opens(portal: httpx.Client) -> None:
    """Each has its page, and each of its panels an answer or a place where it is."""
    listing = answer(portal, "/api/v1/dashboards")
    assert listing["mistakes"] == []
    page = portal.get("/dashboards").text
    for each in (each for folder in listing["folders"] for each in folder["dashboards"]):
        assert f"/dashboards/{each['uid']}" in page
        assert portal.get(f"/dashboards/{each['uid']}").status_code == 200
        view = answer(portal, f"/api/v1/dashboards/{each['uid']}")
        panels = [panel for section in view["sections"] for panel in section["panels"]]
        assert panels
        for panel in panels:
            told = answer(portal, panel["answer"])
            assert told["kind"] in ("chart", "figures", "table", "heatmap", "states", "elsewhere"), panel["title"]
            assert not told.get("trouble"), panel["title"]


def test_panels_have_the_figures_of_prometheus(portal: httpx.Client, past: RunningProcess) -> None:
    """Stat, table and lines of the compiled dashboards; annotations are marks."""
    least = answer(portal, "/api/v1/dashboards/sereno_overview/panels/6")["figures"]
    budgets = prometheus(past, "sereno:error_budget_remaining:ratio")
    assert [figure["value"] for figure in least] == [pytest.approx(min(budgets))]
    assert (least[0]["text"], least[0]["hue"]) == ("-20.0 %", "bad")

    table = answer(portal, "/api/v1/dashboards/sereno_overview/panels/9", **{"var-show": ".+"})
    names = [column["name"] for column in table["columns"]]
    assert len(table["rows"]) == len(budgets)
    assert [cell["text"] for cell in table["rows"][0][:2]] == list(OVERSPENT)
    remaining = [row[names.index("Budget remaining")]["value"] for row in table["rows"]]
    assert remaining == [pytest.approx(budget) for budget in sorted(budgets)]
    assert table["rows"][0][0]["address"].startswith("/dashboards/sereno-transactions-api?")
    calm = answer(portal, "/api/v1/dashboards/sereno_overview/panels/9")
    assert len(calm["rows"]) == 2, "those that are overspent or burn"

    view = answer(portal, "/api/v1/dashboards/sereno-transactions-api")
    panels = {panel["title"]: panel for section in view["sections"] for panel in section["panels"]}
    chart = answer(portal, panels["availability: burn rates"]["answer"])["chart"]
    ratio = 'sereno:error_ratio:1h{service="transactions-api", slo="availability"}'
    rate = prometheus(past, f"{ratio} / 0.001", chart["times"][-1])
    assert [line["values"][-1] for line in chart["lines"] if line["label"] == "1h"] == [pytest.approx(rate[0])]
    assert {bound["label"] for bound in chart["bounds"]} >= {"14.4×"}  # noqa: RUF001 - as people write it
    (alert,) = [mark for mark in chart["marks"] if mark["hue"] == "bad"]
    assert END - 1800 <= alert["at"] < alert["until"] <= END


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_a_chosen_value_finds_its_own_series_only(shown: httpx.Client, place: int) -> None:
    """Whatever is in it: quotes, backslashes and patterns don't leave the string that they stand in."""
    path = HOSTILE[place]
    lines = answer(shown, f"{SHOWN}/1", **{"var-path": path})["chart"]["lines"]
    assert [line["values"][-1] for line in lines] == [place]
    assert path in lines[0]["label"]
    assert answer(shown, f"{SHOWN}/2", **{"var-one": path})["figures"][0]["value"] == place


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_a_value_stays_in_strings_of_each_kind(past: RunningProcess, place: int) -> None:
    """Between single quotes as between double ones; backquoted ones have no escapes, and match nothing then."""
    one, several = (
        Choices(values={"path": value}, from_server=frozenset({"path"}))
        for value in (HOSTILE[place], (HOSTILE[place], "nobody"))
    )
    assert prometheus(past, str(one.ready("shown_requests{path='$path'}", {}))) == [place]
    assert prometheus(past, str(several.ready("shown_requests{path=~'$path'}", {}))) == [place]
    for filled in (one.ready("shown_requests{path=`$path`}", {}), several.ready("shown_requests{path=~`$path`}", {})):
        assert isinstance(promql_parser.parse(str(filled)), promql_parser.VectorSelector)
        assert prometheus(past, str(filled)) in ([], [place])


def test_several_and_all_values(shown: httpx.Client) -> None:
    """Several are a pattern of just these."""
    both = {"var-path": [HOSTILE[1], HOSTILE[2]]}
    assert len(answer(shown, f"{SHOWN}/1", **both)["chart"]["lines"]) == 2
    assert len(answer(shown, f"{SHOWN}/1", **{"var-path": "$__all"})["chart"]["lines"]) == len(HOSTILE)
    again = answer(shown, "/api/v1/dashboards/shown", **both)
    panel = again["sections"][0]["panels"][0]
    assert len(answer(shown, panel["answer"])["chart"]["lines"]) == 2, "the page's panels are those of its choice"
    page = shown.get("/dashboards/shown", params=both).text
    assert page.count(" selected") == 4, "two paths, one of them, and the limit"


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"var-path": "nobody"}, "path has no value 'nobody'"),
        ({"var-one": '"} or up #'}, "one has no value"),
        ({"var-limit": "1d] or up["}, "limit has no value"),
        ({"var-limit": ["1", "3"]}, "limit takes one value"),
        ({"var-path": "plain", "var-one": HOSTILE[0]}, "one has no value"),
        ({"var-always": "other"}, "always is always 'shown'"),
        ({"from": "yesterday"}, "no length of time"),
        ({"from": "0h"}, "no length of time"),
        ({"to": "soon"}, "'soon' is no moment"),
        ({"to": "9" * 30}, "is no moment"),
        ({"to": "0001-01-01T00:00:00"}, "nothing is known of the year 1"),
        ({"from": str(int(END * 1000) + 1)}, "isn't before the end"),
    ],
)
def test_what_nobody_offered_is_refused(shown: httpx.Client, parameters: dict[str, Any], told: str) -> None:
    """422 with what there is, on the page and in its JSON; nothing of it is asked."""
    for address in ("/dashboards/shown", "/api/v1/dashboards/shown", f"{SHOWN}/1"):
        found = shown.get(address, params=parameters)
        assert found.status_code == 422
        assert told in (found.json()["error"] if address.startswith("/api") else found.text.replace("&#39;", "'"))


def test_free_text_of_an_address_is_left_aside(shown: httpx.Client) -> None:
    """A text field of Grafana would be a way to any query."""
    told = answer(shown, f"{SHOWN}/8", **{"var-free": '"}) or vector(1) #', "var-unknown": "x"})
    assert told["figures"][0]["value"] == HOSTILE.index("plain")


def test_each_kind_of_panel(shown: httpx.Client) -> None:
    """Right axes, bounds, marks, gauges, merged tables, buckets without the lower ones, mappings, words for nothing."""
    chart = answer(shown, f"{SHOWN}/1")["chart"]
    (right,) = [line for line in chart["lines"] if line["right"]]
    assert (right["hue"], chart["right_unit"], chart["unit"], chart["maximum"]) == ("warning", "cpm", "s", 9)
    assert [(bound["value"], bound["hue"]) for bound in chart["bounds"]] == [(3, "bad")]
    alert, deployment = sorted(chart["marks"], key=lambda mark: mark["until"] is None)
    assert alert["label"] == "Shown"
    assert 1000 < alert["until"] - alert["at"] <= 1260
    assert (deployment["label"], deployment["at"], deployment["hue"]) == ("deployed 4711", DEPLOYED, "other")
    assert len(chart["times"]) == 241
    assert answer(shown, f"{SHOWN}/3")["figures"][0] == {
        "label": "", "text": "50 %", "value": 0.5, "hue": None, "ratio": 0.5,
    }  # fmt: skip
    table = answer(shown, f"{SHOWN}/4")
    assert [column["name"] for column in table["columns"]] == ["Path", "Now", "Twice"]
    assert [[cell["text"] for cell in row[1:]] for row in table["rows"]] == [
        ["4", "8"], ["3", "6"], ["2", "4"], ["1", "2"], ["0", ""],
    ]  # fmt: skip
    assert [row[2]["hue"] for row in table["rows"]] == ["bad", "bad", "good", "good", None]
    assert table["rows"][-1][0]["address"] == "https://example.org/?q=%22%7D%20or%20vector%2899%29%20%23"
    heatmap = answer(shown, f"{SHOWN}/5")
    assert heatmap["buckets"] == ["100 ms", "500 ms", "1 s", "+Inf"]
    assert [row[-1] for row in heatmap["counts"]] == [pytest.approx(each) for each in (3, 1, 0, 2)]
    assert answer(shown, f"{SHOWN}/7") | {"kind": ""} == {
        "title": "Nothing", "figures": [], "empty": "all is calm", "trouble": "", "kind": "",
    }  # fmt: skip
    assert answer(shown, f"{SHOWN}/9")["figures"][0] | {"value": 0} == {
        "label": "", "text": "spent", "value": 0, "hue": "bad", "ratio": None,
    }  # fmt: skip
    elsewhere = answer(shown, f"{SHOWN}/6", lang="es")
    assert "Elasticsearch" in elsewhere["text"]
    assert elsewhere["text"].startswith("Las líneas")
    assert elsewhere["address"].endswith("/d/shown")


def test_states_over_time(shown: httpx.Client) -> None:
    """A timeline joins what is alike, a history has a cell for each step; gaps stay gaps."""
    alert, plain = sorted(answer(shown, f"{SHOWN}/11")["rows"], key=lambda row: row["label"])
    (firing,) = alert["stretches"]
    assert (alert["label"], firing["text"], firing["hue"]) == ("Shown", "firing", "bad")
    assert END - 1200 <= firing["at"] <= END - 1080
    assert [each["text"] for each in plain["stretches"]] == ["0"]
    history = answer(shown, f"{SHOWN}/12")
    (cells,) = [row["stretches"] for row in history["rows"] if row["label"] == "plain"]
    assert len(cells) == 7
    assert {(each["text"], each["hue"], each["until"] - each["at"]) for each in cells} == {("4", "bad", 600)}
    assert "firing" in shown.get("/dashboards/shown/panels/11").text


def test_a_query_that_is_refused_leaves_the_others_alone(shown: httpx.Client) -> None:
    """503 with the server's words for that panel; the dashboard has its page."""
    refused = shown.get(f"{SHOWN}/10")
    assert refused.status_code == 503
    assert "parse error" in refused.json()["error"]
    assert shown.get("/dashboards/shown").status_code == 200


def test_each_panel_has_a_page_without_javascript(shown: httpx.Client) -> None:
    """With its figures in words."""
    assert "How full" in (page := shown.get("/dashboards/shown/panels/3").text)
    assert "50 %" in page
    assert "&#34;} or vector(99) #" in (page := shown.get("/dashboards/shown/panels/4").text)
    assert "✖" in page
    assert "500 ms" in shown.get("/dashboards/shown/panels/5").text
    assert "all is calm" in shown.get("/dashboards/shown/panels/7").text
    assert "4/min" in shown.get("/dashboards/shown/panels/1").text
    page = shown.get("/dashboards/shown").text
    assert "Everything 3600" in page
    assert "javascript:" not in page


def test_what_is_left_out_is_told_in_every_language(shown: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of lines, figures, rows: how many there are; and each such text of the pages has its Spanish."""
    for module, name in (
        (lines, "MOST_LINES"),
        (tables, "MOST_ROWS"),
        (states, "MOST_ROWS"),
        (heatmaps, "MOST_BUCKETS"),
    ):
        monkeypatch.setattr(module, name, 1)
    assert answer(shown, f"{SHOWN}/1", lang="en")["chart"]["trouble"] == "1 of 5 lines are drawn, the highest"
    assert [line["label"] for line in answer(shown, f"{SHOWN}/1")["chart"]["lines"]] == ["path=plain"]
    assert answer(shown, f"{SHOWN}/4", lang="es")["trouble"] == "Se muestran 1 de 5 filas"
    assert answer(shown, f"{SHOWN}/5", lang="es")["trouble"] == "Se muestran 1 de 4 intervalos, los más bajos"
    assert answer(shown, f"{SHOWN}/12", lang="en")["trouble"] == "1 of 2 rows are shown"
    said = re.compile(r'asking\.(?:note|say)\("([^"]+)"')
    sources = [path.read_text(encoding="utf-8") for path in Path(lines.__file__).parent.glob("*.py")]
    texts = {text for source in sources for text in said.findall(source)}
    assert len(texts) > 7
    assert texts <= set(words_of("es"))


def test_unknown_names(shown: httpx.Client) -> None:
    """404, with the nearest dashboards."""
    found = shown.get("/api/v1/dashboards/shwon")
    assert found.status_code == 404
    assert "do you mean shown?" in found.json()["error"]
    assert shown.get("/dashboards/shown/panels/4711").status_code == 404
    assert shown.get("/dashboards/shown/panels/x").status_code == 422


def test_another_time(shown: httpx.Client) -> None:
    """Up to a moment of the past; a panel's own least step holds."""
    until = datetime.fromtimestamp(END - 3600, UTC).isoformat()
    chart = answer(shown, f"{SHOWN}/1", **{"from": "10m", "to": until})["chart"]
    assert END - 3660 <= chart["times"][-1] <= END - 3600
    week = answer(shown, f"{SHOWN}/1", **{"from": "now-168h"})["chart"]
    assert week["times"][-1] - week["times"][0] == 7 * 86_400
    assert len(week["times"]) <= 720
    ahead = answer(shown, f"{SHOWN}/1", to="8999-12-31T23:59:59-12:00")["chart"]
    assert ahead["times"][-1] <= END
    heatmap = answer(shown, f"{SHOWN}/5")
    assert heatmap["step_seconds"] == 60


def test_a_time_of_a_file_that_isnt_understood(shown: httpx.Client) -> None:
    """A panel's falls back on the dashboard's, a dashboard's on six hours."""
    assert [understood(text) for text in ("now-6h", "30d", "now-1M/M", "now/d", "0d", "")] == [
        "now-6h", "30d", "now-1M/M", "", "", "",
    ]  # fmt: skip
    assert answer(shown, "/api/v1/dashboards/shown")["length"] == "1h"


def test_addresses_of_grafana_lead_here(shown: httpx.Client) -> None:
    """With their time: what pages (alerts) link to works where `links.dashboards` is the portal."""
    answered = shown.get("/d/shown/anything?from=now-90m&to=now&var-one=plain", follow_redirects=True)
    assert answered.status_code == 200
    assert answered.url.path == "/dashboards/shown"
    assert "from=5400s&amp;var-one=plain" in answered.text
    milliseconds = {"from": f"{END - 1800:.0f}000", "to": f"{END - 900:.0f}000"}
    chart = answer(shown, f"{SHOWN}/1", **milliseconds)["chart"]
    assert [chart["times"][0], chart["times"][-1]] == [
        pytest.approx(END - 1800, abs=30),
        pytest.approx(END - 900, abs=30),
    ]


def test_broken_files_are_told_and_take_nothing_away(shown: httpx.Client) -> None:
    """In the list with what is wrong, and at the address that they would have."""
    listing = answer(shown, "/api/v1/dashboards")
    assert [each["uid"] for folder in listing["folders"] for each in folder["dashboards"]] == ["shown"]
    cut, odd, twice = listing["mistakes"]
    assert "cut.json: this is no JSON" in cut
    assert "odd.json: panels[0].gridPos is 7" in odd
    assert "uid 'shown' is that of shown.json" in twice
    assert "odd.json" in shown.get("/dashboards").text
    page = shown.get("/dashboards/odd")
    assert page.status_code == 422
    assert "gridPos" in page.text


def test_a_file_that_breaks_keeps_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And comes back when it is mended."""
    monkeypatch.setattr(shelf, "LOOK_SECONDS", 0.0)
    file = tmp_path / "generated" / "x.json"
    file.parent.mkdir()
    good = '{"uid": "known", "title": "X", "panels": []}'
    file.write_text(good)
    files = DashboardFiles(tmp_path)
    found = files.current().find("known")
    assert isinstance(found, Shelved)
    assert isinstance(found.dashboard, Dashboard)
    file.write_text("{")
    assert isinstance(files.current().find("known"), Broken)
    file.write_text(good + " ")
    assert isinstance(files.current().find("known"), Shelved)
    file.unlink()
    assert files.current().find("known") is None


def test_without_prometheus_there_is_still_a_list(without_prometheus: httpx.Client) -> None:
    """And panels say why they have no figures."""
    assert "SLO overview" in without_prometheus.get("/dashboards").text
    assert without_prometheus.get("/api/v1/dashboards/sereno_system-etl").status_code == 200, "it has nothing to choose"
    told = without_prometheus.get("/api/v1/dashboards/sereno_overview/panels/2")
    assert told.status_code == 503
    assert (ROOT / "dashboards" / "grafana").as_posix() not in told.text


@pytest.mark.parametrize(
    "written", ["90m", "1d", "now-90d", "now-9999999s", "999999999y", "", str(round(END - 7_776_000) * 1000)]
)
def test_a_length_that_is_said_is_read_again(written: str) -> None:
    """Panels ask by the address that the page says."""
    now = datetime.fromtimestamp(END, UTC)
    first = shown(written, now)
    again = shown(first.length, now)
    assert (again.length, again.span) == (first.length, first.span)
    assert first.span.end - first.span.start <= timedelta(days=92, hours=12)


@pytest.mark.parametrize(
    ("written", "value", "is_mapped"),
    [
        ("315360000", 315_360_000.0, True),
        ("1", 1.0, True),
        ("1.0", 1.0, True),
        ("0.1", 0.1, True),
        ("1e3", 1_000.0, True),
        ("1", 1.0000001, False),
        ("up", 1.0, False),
        ("1", None, False),
    ],
)
def test_a_value_is_mapped_by_its_number(written: str, value: float | None, is_mapped: bool) -> None:
    """However the file writes it, and however many digits a figure would have."""
    mapped = Mapped(Matched(value=written), "in words", "red")
    look = fields.Look("", "short", None, None, None, None, (mapped,), ())
    text, _ = fields.told(value, look, datetime.fromtimestamp(END, UTC))
    assert (text == "in words") is is_mapped
