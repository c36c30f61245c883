"""Runbook scaffolds: readable at 3 a.m., with queries that run."""

import re
from dataclasses import replace

import promql_parser
import pytest
from sereno_slo.duration import Duration
from sereno_slo.model import AlertingMode, Links, OtherAlert, Service, Settings
from sereno_slo.promql import Matcher, MatchOp
from sereno_slo.render.artefact import Kind, Ownership
from sereno_slo.render.postmortem_template import render_postmortem_template
from sereno_slo.render.runbooks import render_runbooks
from support.recorded import Ask
from support.slo_services import SETTINGS, all_services, transactions_api

RUNBOOKS = {artefact.name: artefact for artefact in render_runbooks(all_services(), SETTINGS)}
POSTMORTEM = render_postmortem_template(all_services(), SETTINGS)
TEXTS = {name: artefact.content for name, artefact in RUNBOOKS.items()} | {POSTMORTEM.name: POSTMORTEM.content}
each_text = pytest.mark.parametrize("name", TEXTS)


def fences(text: str) -> list[str]:
    """Every PromQL query of a Markdown file."""
    return re.findall(r"```promql[^\n]*\n(.*?)\n```", text, flags=re.DOTALL)


def only(service: Service, settings: Settings = SETTINGS) -> str:
    """The runbook of a service's first SLO."""
    return render_runbooks((service,), settings)[0].content


def test_a_runbook_for_each_slo_that_then_is_the_teams() -> None:
    """Every SLO gets `<service>/<slo>.md`, written once."""
    assert sorted(RUNBOOKS) == [
        "etl-worker/rows.md",
        "etl-worker/stage.md",
        "transactions-api/availability.md",
        "transactions-api/latency.md",
        "transactions-api/pay.md",
    ]
    for artefact in RUNBOOKS.values():
        assert (artefact.kind, artefact.ownership) == (Kind.RUNBOOKS, Ownership.SCAFFOLDED)


@pytest.mark.parametrize("name", RUNBOOKS)
def test_the_four_headings_stand_in_order(name: str) -> None:
    """A reader finds Meaning, Impact, Diagnosis, Mitigation, and the runbooks of the alerts."""
    headings = re.findall(r"^## (.+)$", RUNBOOKS[name].content, flags=re.MULTILINE)
    assert headings == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    assert "](../SLOErrorBudgetBurn.md)" in RUNBOOKS[name].content
    assert "](../SLONoData.md)" in RUNBOOKS[name].content


def test_the_cause_below_is_asked_for_and_linked() -> None:
    """Its page isn't sent while the SLO's is: the runbook has the query and the way to its runbook."""
    service = transactions_api()
    cause = OtherAlert("PostgreSQLDown", (Matcher("system", MatchOp.EQUAL, "shop"),))
    text = only(replace(service, slos=(replace(service.slos[0], stands_on=(cause,)), *service.slos[1:])))
    assert "**Is it what PostgreSQLDown tells, which this stands on?**" in text
    assert f"Its runbook: <{SETTINGS.links.runbooks}/PostgreSQLDown.md>.\n\n```promql\n" in text
    assert 'ALERTS{alertname="PostgreSQLDown", system="shop"}' in "".join(fences(text))
    assert "\n\n\n" not in text


def test_what_the_spec_knows_is_filled_in() -> None:
    """Objective in words, the spec's description and impact, the tiers, and the links of this service."""
    text = RUNBOOKS["transactions-api/availability.md"].content
    assert "Over 30 days, of 1,000 events at most 1 may be bad." in text
    assert "HTTP calls answered 200 or 201." in text
    assert "## Impact\n\nCustomers can't pay.\n" in text
    assert "| page (fast) | 2 % | 1h | 14.4 | 5m |" in text
    assert "<https://grafana.example.org/d/sereno-transactions-api?from=now-3h&to=now>" in text
    assert "<https://logs.example.org/app/discover?service=transactions-api>" in text
    assert "less than 0.1 %" in text


def test_latency_runbooks_ask_what_is_slowest() -> None:
    """A latency SLO's runbook shows percentiles by route; others don't."""
    assert "What is slowest?" in RUNBOOKS["transactions-api/latency.md"].content
    assert "sum by (le, http_route)" in RUNBOOKS["transactions-api/latency.md"].content
    assert "sum by (le, job, instance)" in RUNBOOKS["etl-worker/stage.md"].content
    assert "What is slowest?" not in RUNBOOKS["transactions-api/availability.md"].content


@pytest.mark.parametrize("name", RUNBOOKS)
def test_places_for_people_are_marked(name: str) -> None:
    """What only people know is asked for, with the same mark everywhere, and no mark is empty."""
    places = re.findall(r"^✍️ \*\*.+\?\*\* \(.+\)$", RUNBOOKS[name].content, flags=re.MULTILINE)
    assert len(places) == RUNBOOKS[name].content.count("✍️ **")
    assert len(places) >= 5


@each_text
def test_queries_can_be_pasted(ask: Ask, name: str) -> None:
    """Every query of a runbook and of the postmortem template parses and returns data on a real Prometheus."""
    queries = fences(TEXTS[name])
    assert len(queries) >= 4
    for query in queries:
        promql_parser.parse(query)
        assert ask(query), f"{name} asks for nothing:\n{query}"


@each_text
def test_tables_keep_their_columns(name: str) -> None:
    """Every row of a table has as many cells as its head, whatever words the spec contains."""
    tables = re.findall(r"(?:^\|.*\|$\n?)+", TEXTS[name], flags=re.MULTILINE)
    assert tables
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.strip().splitlines()}) == 1, table


@each_text
def test_nothing_of_the_template_is_left(name: str) -> None:
    """No placeholder of the template engine and no gap of more than one empty line reaches a reader."""
    assert "{%" not in TEXTS[name]
    assert " }}" not in TEXTS[name]
    assert "\n\n\n" not in TEXTS[name]
    assert not [line for line in TEXTS[name].splitlines() if line != line.rstrip()]


def test_links_that_are_not_configured_are_left_out() -> None:
    """Without addresses nothing leads nowhere; where the logs are is asked of the team."""
    text = only(transactions_api(), replace(SETTINGS, links=Links(runbooks="", dashboards="", logs="")))
    assert "| dashboard |" not in text
    assert "<>" not in text
    assert "✍️ **Where are the logs?**" in text


def test_a_link_to_logs_has_no_placeholders_left() -> None:
    """A runbook knows no window: the last hour stands for it, in words that Kibana and Grafana read."""
    links = Links("", "", "https://logs.example.org/{service}?{window}&{from}-{to}&{from_iso}/{to_iso}")
    text = only(transactions_api(), replace(SETTINGS, links=links))
    assert "https://logs.example.org/transactions-api?1h&now-1h-now&now-1h/now" in text


def test_a_policy_of_which_no_tier_can_fire_says_so() -> None:
    """No table of thresholds is shown that can't be reached."""
    service = transactions_api()
    slo = replace(service.slos[0], objective_percent=5.0, window=Duration.parse("1d"))
    slo = replace(slo, alerting=replace(slo.alerting, tiers=slo.alerting.tiers[2:]))
    text = only(replace(service, slos=(slo,)))
    assert "Only a full outage pages" in text
    assert "| you get a |" not in text


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (AlertingMode.BUDGET, "budget that was really spent"),
        (AlertingMode.RATIO, "compares the error ratio"),
        (AlertingMode.BOTH, "either"),
    ],
)
def test_the_alerting_mode_is_explained(mode: AlertingMode, words: str) -> None:
    """What the alert compares is said in words."""
    service = transactions_api()
    slo = replace(service.slos[0], alerting=replace(service.slos[0].alerting, mode=mode))
    assert words in only(replace(service, slos=(slo,)))


def test_processes_without_start_time_are_not_asked_for_it() -> None:
    """A repository without a metric of process start gets no query that returns nothing."""
    assert "process_start" not in only(transactions_api(), replace(SETTINGS, process_start_metric=None))


def test_words_of_several_lines_stay_in_their_place() -> None:
    """Line breaks and bars of a description break neither sentence nor table."""
    text = RUNBOOKS["transactions-api/latency.md"].content
    assert "HTTP calls answered within 300 ms | all routes." in text
