"""A source that is missing leaves a reason in the draft, never a zero."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sereno_backends.incidents import Incident
from sereno_backends.logs import LogRecord, open_log_store
from sereno_backends.prometheus import PrometheusClient
from sereno_postmortems.draft import Logs, Measured, Metrics, NotMeasured, gather, open_logs, open_metrics, render_draft
from sereno_postmortems.store import IncidentStore
from support.incident_story import ALERT, BASE, entry_time, history, minute, record, write_incident
from support.incidents import reported, webhook
from support.ports import free_port
from support.prometheus import HistorySample, running_prometheus

NOW = minute(150)
NO_METRICS = Metrics(None, "no Prometheus was named")
NO_LOGS = Logs(None, "no log store was named")


@pytest.fixture
def incident(tmp_path: Path) -> Incident:
    """The story's incident."""
    write_incident(tmp_path / "incidents.sqlite")
    return IncidentStore(tmp_path / "incidents.sqlite").incidents()[0]


@pytest.fixture
def dead_prometheus() -> Iterator[PrometheusClient]:
    """A client of an address where nobody listens."""
    with PrometheusClient(f"http://127.0.0.1:{free_port()}") as client:
        yield client


def drafted(incident: Incident, metrics: Metrics, logs: Logs) -> str:
    """The draft's text."""
    return render_draft(gather(incident, "the record", metrics, logs, now=NOW, progress=lambda _: None))


def section(text: str, heading: str) -> str:
    """The text under a heading of second order."""
    return text.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]


def test_without_prometheus_no_figure_is_told(incident: Incident, dead_prometheus: PrometheusClient) -> None:
    """An unreachable Prometheus leaves every figure of the impact not measured, with the reason, and no number."""
    metrics = open_metrics(dead_prometheus, NOW)
    evidence = gather(incident, "the record", metrics, NO_LOGS, now=NOW, progress=lambda _: None)
    (slo,) = evidence.slos
    for figures in (slo.alerting, slo.evidence, slo.usual):
        for fact in (figures.failed, figures.total, figures.error_ratio, figures.budget_spent, figures.entries):
            assert isinstance(fact, NotMeasured)
            assert "can't be reached" in fact.reason
    for fact in (slo.objective, slo.whole_budget, slo.remaining_before, slo.remaining_after, slo.peak_burn):  # type: ignore[assignment]
        assert isinstance(fact, NotMeasured)
    impact = section(render_draft(evidence), "Impact")
    cells = [cell for line in impact.splitlines() if line.startswith("| ") for cell in line.split(" | ")[1:]]
    assert cells
    assert not [cell for cell in cells if re.match(r"[0-9]", cell.strip("| "))]
    assert any("can't be reached" in warning for warning in evidence.warnings)


def test_a_dead_prometheus_is_asked_once(incident: Incident, dead_prometheus: PrometheusClient) -> None:
    """After the first silence nothing more is asked: a draft isn't a minute of timeouts."""
    metrics = open_metrics(dead_prometheus, NOW)
    dead_prometheus.close()  # asking a closed client would raise
    assert metrics.missing is not None
    assert "not measured" in drafted(incident, metrics, NO_LOGS)


def test_without_logs_the_timeline_says_so(incident: Incident) -> None:
    """Without a log store the draft still has the alerts' timeline, and says what is missing of it."""
    text = drafted(incident, NO_METRICS, NO_LOGS)
    assert "Alert firing" in section(text, "Timeline")
    assert "Deeds and first error in the logs: **not measured**: no log store was named" in section(text, "Timeline")
    assert "**not measured**: no log store was named" in section(text, "Log evidence")
    assert "Pending alerts: **not measured**: no Prometheus was named" in section(text, "Timeline")
    assert "> **A source is missing:** no log store was named" in text


def test_a_log_store_that_is_no_store_is_told(incident: Incident, tmp_path: Path) -> None:
    """A file that isn't a log store, and one that isn't there, are reasons and not tracebacks."""
    (tmp_path / "notes.txt").write_text("no database at all, only words\n" * 50, encoding="utf-8")
    for name in ("notes.txt", "missing.sqlite"):
        store = open_log_store(str(tmp_path / name))
        logs = open_logs(store, NOW)
        assert logs.missing is not None
        assert "**not measured**" in section(drafted(incident, NO_METRICS, logs), "Log evidence")
        store.close()
    assert not (tmp_path / "missing.sqlite").exists()


def test_an_unreachable_elasticsearch_is_told(incident: Incident) -> None:
    """An Elasticsearch where nobody listens is a reason with its address."""
    url = f"http://127.0.0.1:{free_port()}"
    store = open_log_store(url)
    text = drafted(incident, NO_METRICS, open_logs(store, NOW))
    store.close()
    assert "**not measured**" in section(text, "Log evidence")
    assert url.removeprefix("http://") in text


def test_prometheus_without_our_series_is_told(incident: Incident, tmp_path: Path) -> None:
    """A Prometheus that knows nothing of the SLO yields no figures, though it answers."""
    with running_prometheus(tmp_path / "p") as server, PrometheusClient(server.url) as client:
        evidence = gather(incident, "x", open_metrics(client, NOW), NO_LOGS, now=NOW, progress=lambda _: None)
        assert isinstance(evidence.slos[0].evidence.failed, NotMeasured)
        assert evidence.affected == NotMeasured(
            "Prometheus holds no ledger entries of any SLO in this window",
            evidence.affected.sources,
        )
        text = render_draft(evidence)
    assert "Prometheus holds no such series at that time" in section(text, "Impact")


def test_an_idle_slo_divides_by_nothing(incident: Incident, tmp_path: Path) -> None:
    """No requests at all: zero failed is measured, but there is no ratio and no budget to speak of."""
    own = {"service": ALERT["service"], "slo": ALERT["slo"]}
    idle = [
        HistorySample(name, own, BASE + 60 * number + 1, value)
        for number in range(-70, 100)
        for name, value in (
            ("sereno:events:delta1m", 0.0),
            ("sereno:bad_events:delta1m", 0.0),
            ("sereno:events:window", 0.0),
            ("sereno:bad_events:window", 0.0),
            ("sereno:error_ratio:5m", 0.0),
            ("sereno_slo_objective_ratio", 0.999),
        )
    ]
    with running_prometheus(tmp_path / "p", history=idle) as server, PrometheusClient(server.url) as client:
        evidence = gather(incident, "x", open_metrics(client, NOW), NO_LOGS, now=NOW, progress=lambda _: None)
    (slo,) = evidence.slos
    assert isinstance(slo.evidence.failed, Measured)
    assert slo.evidence.failed.value == 0
    for fact in (slo.evidence.error_ratio, slo.evidence.budget_spent, slo.remaining_after):
        assert isinstance(fact, NotMeasured)
    assert "no requests came in this window" in render_draft(evidence)


def test_fewer_failures_than_none_are_none(incident: Incident, tmp_path: Path) -> None:
    """All less good is below none where the two were read a moment apart; another SLO's draft stood still by that."""
    other = {"service": "orders", "slo": "latency"}
    seen = [
        HistorySample(name, other, BASE + 60 * number + 1, value)
        for number in range(-70, 100)
        for name, value in (
            ("sereno:events:delta1m", 600.0),
            ("sereno:bad_events:delta1m", 30.0 if number > 60 else -1.0),
        )
    ]
    with running_prometheus(tmp_path / "p", history=seen) as server, PrometheusClient(server.url) as client:
        evidence = gather(incident, "x", open_metrics(client, NOW), NO_LOGS, now=NOW, progress=lambda _: None)
    assert isinstance(evidence.affected, Measured)
    (affected,) = evidence.affected.value
    assert (affected.slo, affected.is_beyond_chance) == ("latency", True)
    assert render_draft(evidence)


@pytest.mark.parametrize("objective", [1.0, float("nan"), float("inf"), 99.9])
def test_an_impossible_objective_leaves_no_budget_figures(incident: Incident, tmp_path: Path, objective: float) -> None:
    """An objective that leaves no budget doesn't become a division by zero or a negative budget."""
    odd = [
        HistorySample(sample.name, sample.labels, sample.timestamp, objective)
        if sample.name == "sereno_slo_objective_ratio"
        else sample
        for sample in history()
    ]
    with running_prometheus(tmp_path / "p", history=odd) as server, PrometheusClient(server.url) as client:
        evidence = gather(incident, "x", open_metrics(client, NOW), NO_LOGS, now=NOW, progress=lambda _: None)
    (slo,) = evidence.slos
    for fact in (slo.whole_budget, slo.peak_burn, slo.bad_minutes, slo.evidence.budget_spent):
        assert isinstance(fact, NotMeasured)
    assert isinstance(slo.evidence.failed, Measured)
    assert render_draft(evidence)


def test_prometheus_that_dies_in_between_costs_no_draft(incident: Incident, tmp_path: Path) -> None:
    """A Prometheus that is killed after the first answer leaves a draft in which the rest isn't measured."""
    with running_prometheus(tmp_path / "p", history=history()) as server, PrometheusClient(server.url) as client:
        metrics = open_metrics(client, NOW)

        def kill_in_the_middle(step: str) -> None:
            if step.startswith("looking"):
                server.process.kill()
                server.process.wait(timeout=10)

        evidence = gather(incident, "x", metrics, NO_LOGS, now=NOW, progress=kill_in_the_middle)
    assert isinstance(evidence.slos[0].evidence.failed, Measured)
    assert isinstance(evidence.affected, NotMeasured)
    assert any("can't be reached" in warning or "disconnected" in warning for warning in evidence.warnings)
    assert "**not measured**" in section(render_draft(evidence), "Impact")


def test_alerts_without_slo_have_no_impact_but_a_draft(tmp_path: Path) -> None:
    """An incident of somebody else's rules is drafted with its timeline; the impact says why it can't be counted."""
    store = IncidentStore(tmp_path / "i.sqlite")
    store.prepare()
    labels = {"alertname": "HostDown", "instance": "db"}
    body = webhook([reported(labels, entry_time(65), entry_time(80))], groupLabels={"alertname": "HostDown"})
    record(store, body, entry_time(81))
    text = drafted(store.incidents()[0], NO_METRICS, NO_LOGS)
    assert "the alerts carry no labels `service` and `slo`" in section(text, "Impact")
    assert "HostDown" in section(text, "Timeline")


def test_clocks_that_disagree_make_no_negative_window(tmp_path: Path) -> None:
    """An alert that starts after the time of the draft still gives windows of at least a minute."""
    write_incident(tmp_path / "i.sqlite", resolved=False)
    (incident,) = IncidentStore(tmp_path / "i.sqlite").incidents()
    early = incident.opened_at - timedelta(hours=1)
    evidence = gather(incident, "x", NO_METRICS, NO_LOGS, now=early, progress=lambda _: None)
    for window in (evidence.windows.alerting, evidence.windows.evidence, evidence.windows.baseline):
        assert window.length >= timedelta(minutes=1)
    assert render_draft(evidence)


@pytest.mark.parametrize("first_minute", [56, 70, 84])
def test_many_errors_still_show_the_very_first(tmp_path: Path, incident: Incident, first_minute: int) -> None:
    """The first error is found among more records than one answer holds, wherever in the window they begin."""
    store = open_log_store(str(tmp_path / "l.sqlite"))
    records = [
        LogRecord(
            record_id=f"{number}",
            timestamp=minute(first_minute) + timedelta(milliseconds=number),
            service=ALERT["service"],
            level="error",
            message="failed",
        )
        for number in range(450)
    ]
    store.write(records)
    evidence = gather(incident, "x", NO_METRICS, open_logs(store, NOW), now=NOW, progress=lambda _: None)
    store.close()
    first = evidence.logs.first_error
    assert isinstance(first, Measured)
    assert first.value == records[0]


def test_records_of_one_moment_still_show_a_first(tmp_path: Path, incident: Incident) -> None:
    """More records at the very same moment than one answer holds don't make the search endless."""
    store = open_log_store(str(tmp_path / "l.sqlite"))
    store.write([LogRecord(f"{n}", minute(60), ALERT["service"], "error", "failed") for n in range(450)])
    evidence = gather(incident, "x", NO_METRICS, open_logs(store, NOW), now=NOW, progress=lambda _: None)
    store.close()
    first = evidence.logs.first_error
    assert isinstance(first, Measured)
    assert first.value is not None
    assert first.value.timestamp == minute(60)
