"""Signs of an attack against signs of degradation, delivery times and charts, from real sources."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from sereno_backends.logs import LogRecord, open_log_store
from sereno_backends.prometheus import PrometheusClient
from sereno_postmortems.draft import (
    Evidence,
    Measured,
    draw_charts,
    gather,
    open_logs,
    open_metrics,
    render_draft,
    write_charts,
)
from sereno_postmortems.draft.delivery import deliveries
from sereno_postmortems.draft.hints import analysis
from sereno_postmortems.draft.request_series import RequestSeries, series_of_service, series_of_slo, threshold_of
from sereno_postmortems.draft.slo_evidence import Minute
from sereno_postmortems.draft.windows import Window
from sereno_postmortems.measured_blocks import Block, parts_of
from sereno_postmortems.questions import ATTACK
from sereno_postmortems.store import IncidentStore
from sereno_postmortems.tables import tables
from support.incident_story import SERVICE, SLO, entry_time, history, minute, write_incident, write_logs
from support.prometheus import SILENT_CONFIG, running_prometheus

NOW = minute(150)
RULES = f"""\
groups:
  - name: slo
    interval: 1h
    rules:
      - record: sereno:events:delta1m
        expr: increase(http_server_request_duration_seconds_count{{job="{SERVICE}", http_route!~"/h{{1,2}}.*"}}[1m])
        labels: {{service: {SERVICE}, slo: {SLO}}}
      - record: sereno:bad_events:delta1m
        expr: increase(http_server_request_duration_seconds_bucket{{job="{SERVICE}", le="0.25"}}[1m])
        labels: {{service: {SERVICE}, slo: {SLO}}}
"""
SECONDS_FOR_A_DRAFT = 5
"""What the issue promises."""


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """The story's, with access lines of a client that guesses passwords, and the SLO's rules loaded."""
    folder = tmp_path_factory.mktemp("signs")
    write_incident(folder / "i.sqlite")
    write_logs(folder / "l.sqlite")
    store = open_log_store(str(folder / "l.sqlite"))
    store.write(list(_access_lines()))
    (folder / "p").mkdir()
    (folder / "p/slo.rules.yaml").write_text(RULES, encoding="utf-8")
    (incident,) = IncidentStore(folder / "i.sqlite").incidents()
    config = f"{SILENT_CONFIG}rule_files: [slo.rules.yaml]\n"
    with (
        running_prometheus(folder / "p", config=config, history=history()) as server,
        PrometheusClient(server.url) as client,
    ):
        began = time.monotonic()
        metrics, logs = open_metrics(client, NOW), open_logs(store, NOW)
        found = gather(incident, "record", metrics, logs, now=NOW, progress=lambda _: None)
        assert render_draft(found)
        assert time.monotonic() - began < SECONDS_FOR_A_DRAFT
    store.close()
    return found


def _access_lines() -> Iterator[LogRecord]:
    """Seven clients before and during, an eighth that is refused 192 times while requests fail."""
    for number in range(0, 86, 2):
        yield _access(f"access-{number}", number, f"10.0.0.{number % 7}", 200)
    for number in range(192):
        yield _access(f"guess-{number}", 60 + number / 12, "203.0.113.9", 401)


def _access(record_id: str, at: float, client: str, code: int) -> LogRecord:
    document = {"client": {"ip": client}, "http.response.status_code": code}
    return LogRecord(record_id, minute(at), SERVICE, "info", "GET /payments", document=document)


def hints(evidence: Evidence) -> list[str]:
    """What is hinted at below the question about attacks."""
    (question,) = (one for one in analysis(evidence) if one.text == ATTACK)
    assert question.unmeasured == ()
    assert all(hint.sources for hint in question.hints)
    return [hint.text for hint in question.hints]


def test_answers_are_counted_exactly(evidence: Evidence) -> None:
    """By status code, to the last request: also those of a code that was first answered in the incident."""
    (requests,) = evidence.requests
    assert isinstance(requests.answers, Measured)
    counts = {one.code: (one.count, one.usual_count, one.is_burst) for one in requests.answers.value}
    assert counts == {"200": (3599, 7194, False), "401": (192, 0, True), "500": (481, 6, True)}


def test_signs_of_an_attack_and_of_degradation_stand_side_by_side(evidence: Evidence) -> None:
    """Refusals and the client behind them; slowness and resources, each with what was usual."""
    told = hints(evidence)
    assert f"Sign of an attack, or of a caller gone wrong: {SERVICE} answered 401 192 times" in told[1]
    assert told[2].startswith(
        "client.ip 203.0.113.9 has 91.9 % of the log lines that name a client, 0 % before, 192 of"
    )
    assert any(
        re.fullmatch(r"Sign of degradation: latency p95 .* slower \(2\d\.\d times\): 1\.97 s, 95 ms before", one)
        for one in told
    )
    assert (
        f"Sign of degradation: CPU of {SERVICE}'s processes is higher (4.5 times): at most 0.9 cores, 0.2 cores before"
        in told
    )
    assert f"Memory of {SERVICE}'s processes is as usual: at most 80 MB, 80 MB before" in told


def test_each_alert_has_its_delivery_time(evidence: Evidence) -> None:
    """From its beginning and its end to the first notification of it."""
    found = [(one.state, one.happened_at, one.took) for one in deliveries(evidence.incident)]
    assert found == [
        ("firing", entry_time(65), timedelta(seconds=10)),
        ("resolved", entry_time(80), timedelta(seconds=20)),
    ]
    text = render_draft(evidence)
    assert "| 10 s | incidents |" in text
    assert "The runbook that the page named: `https://runbooks.example/burn` (SLOErrorBudgetBurn)" in text


def test_time_to_detect_and_to_restore_are_the_ledgers(evidence: Evidence) -> None:
    """From the first bad minute: to the first alert and its notification, and to the last bad minute."""
    text = render_draft(evidence)
    began, ended = f"{entry_time(59):%Y-%m-%d %H:%M:%S} UTC", f"{entry_time(75):%Y-%m-%d %H:%M:%S} UTC"
    assert f"| loss of service began | in the minute from {began} | *measured* " in text
    assert "| time to detect | 6 min to the first alert, 6 min 10 s to the first notification | *measured* " in text
    assert f"| service restored | in the minute to {ended} | *measured* " in text
    assert "| time to restore | 16 min from the loss | *measured* " in text


def test_no_field_is_empty_that_evidence_could_fill(evidence: Evidence) -> None:
    """With all sources there nothing is unmeasured, and no cell of what was measured is empty."""
    text = render_draft(evidence)
    assert "not measured" not in text
    blocks = [part for part in parts_of(text) if isinstance(part, Block)]
    empty = [
        cell
        for part in blocks
        for table in tables(part.content)
        for row in table.rows
        for cell in row.cells[: len(table.header.cells) - (part.name == "timeline")]
        if not cell.raw and not row.cells[-1].raw.startswith("…")
    ]
    assert len(blocks) == 11
    assert empty == []


def test_charts_are_drawn_beside_the_draft(evidence: Evidence, tmp_path: Path) -> None:
    """Error ratio, requests and latency as well-formed pictures, with objective, promise and incident marked."""
    charts = draw_charts(evidence)
    assert [chart.file.rpartition("-")[2] for chart in charts] == ["errors.svg", "events.svg", "latency.svg"]
    errors, events, latency = (ET.fromstring(chart.svg) for chart in charts)  # noqa: S314 - our own
    assert "0.1 % allowed by the objective" in words(errors)
    assert "within 250 ms by the SLO" in words(latency)
    assert all("alerting" in words(picture) for picture in (errors, events, latency))
    bars = [node for node in events.iter() if node.tag.endswith("rect") and node.get("fill") == "#cf222e"]
    assert len(bars) == 17 + 1  # sixteen bad minutes, a stray failure, the legend
    assert write_charts(tmp_path, charts) == ()
    (tmp_path / charts[0].file).write_text("<svg>by hand</svg>", encoding="utf-8")
    assert write_charts(tmp_path, charts) == (tmp_path / charts[0].file,)
    assert (tmp_path / charts[0].file).read_text() == "<svg>by hand</svg>"
    assert render_draft(evidence).count("![") == 3


def words(picture: ET.Element) -> list[str]:
    """The texts of a picture."""
    return [node.text or "" for node in picture.iter() if node.tag.endswith("text")]


def test_a_rule_tells_which_requests_an_slo_counts() -> None:
    """The histogram and its matchers are read from the expression, and printed inert; other metrics are none."""
    rule = 'sum(increase(x_http_seconds_bucket{job=~"a|b{2}", le="0.5", p="`\\"<b>"}[1m])) + sereno:x_count{a="b"}'
    found = series_of_slo(rule)
    assert found is not None
    assert found.histogram == "x_http_seconds"
    assert found.matchers.startswith('job=~"a|b{2}", p="\\U00000060\\U00000022\\U0000003c')
    assert not set("`<") & set(found.matchers)
    assert (threshold_of(rule), threshold_of("a_bucket"), series_of_slo('a_total{b="c"}')) == (0.5, None, None)
    rules = {("api", "delivery"): 'paid_total{job="x"}', ("api", "calls"): rule}
    assert series_of_service(rules, "api", (("api", "delivery"),)).histogram == "x_http_seconds"
    usual = RequestSeries("http_server_request_duration_seconds", 'job="other"')
    assert series_of_service(rules, "other", ()) == usual


def test_what_was_usual_is_not_made_up(tmp_path: Path) -> None:
    """Where nothing is known of the time before, nothing is beyond chance and no resource is guessed at."""
    write_incident(tmp_path / "i.sqlite")
    (incident,) = IncidentStore(tmp_path / "i.sqlite").incidents()
    samples = [one for one in history() if one.timestamp > minute(52).timestamp()]
    with running_prometheus(tmp_path / "p", history=samples) as server, PrometheusClient(server.url) as client:
        metrics, logs = open_metrics(client, NOW), open_logs(None, NOW)
        found = gather(incident, "record", metrics, logs, now=NOW, progress=lambda _: None)
    (requests,) = found.requests
    assert isinstance(requests.answers, Measured)
    assert [(one.code, one.usual_count, one.is_burst) for one in requests.answers.value] == [
        ("200", None, False),
        ("401", None, False),
        ("500", None, False),
    ]
    assert 3500 < requests.answers.value[0].count < 3600, "what was counted before anybody looked isn't in it"
    text = render_draft(found)
    assert re.search(r"answered 401 1\d\d times \(5\.\d a minute, not known before\)", text)
    assert re.search(r"Latency p95 of transactions-api: 1\.\d+ s, not known before", text)
    assert "Sign of" not in text


def test_long_incidents_have_charts_that_can_be_read(evidence: Evidence) -> None:
    """Of three days neighbours are taken together: few bars, none of them too low because it counts fewer minutes."""
    (slo,) = evidence.slos
    entries = tuple(Minute(minute(number), 30, 120) for number in range(3 * 1440 + 7))
    window = Window(minute(0), minute(3 * 1440 + 7))
    long = replace(
        evidence,
        slos=(replace(slo, minutes=Measured(entries, evidence.alerts.pending.sources)),),
        windows=replace(evidence.windows, evidence=window, alerting=window),
    )
    events = ET.fromstring(draw_charts(long)[1].svg)  # noqa: S314 - our own
    bars = [node for node in events.iter() if node.get("fill") == "#cf222e" and node.get("y") != "33"]
    assert 100 < len(bars) <= 240
    assert len({node.get("height") for node in bars}) == 1
