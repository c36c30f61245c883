"""The figures of a draft, asked of a real Prometheus and a real log store, against the known truth."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sereno_backends.incidents import Incident
from sereno_backends.logs import open_log_store
from sereno_backends.prometheus import PrometheusClient
from sereno_postmortems.draft import (
    Evidence,
    Fact,
    Logs,
    Measured,
    Metrics,
    NotMeasured,
    gather,
    open_logs,
    open_metrics,
)
from sereno_postmortems.draft.queries import Selector, counted_within, entries_within, total_within
from sereno_postmortems.draft.timeline import timeline
from sereno_postmortems.draft.windows import Window
from sereno_postmortems.store import IncidentStore
from support.incident_story import (
    BASE,
    EVENTS_A_MINUTE,
    FAULT_MESSAGE,
    OBJECTIVE,
    SERVICE,
    SLO,
    USUAL_MESSAGE,
    entry_time,
    events_in_window,
    failed_between,
    history,
    minute,
    remaining_at,
    write_incident,
    write_logs,
)
from support.prometheus import HistorySample, running_prometheus

LATER = minute(150)


@dataclass(frozen=True)
class Story:
    """The story's sources, opened."""

    metrics: Metrics
    logs: Logs
    resolved: Incident
    still_open: Incident

    def evidence(self, *, now: datetime = LATER, is_open: bool = False) -> Evidence:
        """What is gathered for a draft at a time."""
        incident = self.still_open if is_open else self.resolved
        return gather(incident, "the record", self.metrics, self.logs, now=now, progress=lambda _: None)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A real Prometheus with the story's history, a log store file and an incident database."""
    directory = tmp_path_factory.mktemp("story")
    write_logs(directory / "logs.sqlite")
    write_incident(directory / "resolved.sqlite")
    write_incident(directory / "open.sqlite", resolved=False)
    store = open_log_store(str(directory / "logs.sqlite"))
    # Exactly on the minute, for the traps of range boundaries; and what isn't a number.
    extra = [HistorySample("on_the_minute", {}, BASE + 60 * number, 1.0) for number in range(60)]
    extra += [HistorySample("not_a_number", {}, BASE, float("nan"))]
    extra += list(_counters())
    with (
        running_prometheus(directory / "prometheus", history=[*history(), *extra]) as server,
        PrometheusClient(server.url) as client,
    ):
        yield Story(
            metrics=open_metrics(client, LATER),
            logs=open_logs(store, LATER),
            resolved=IncidentStore(directory / "resolved.sqlite").incidents()[0],
            still_open=IncidentStore(directory / "open.sqlite").incidents()[0],
        )
    store.close()


def _counters() -> Iterator[HistorySample]:
    """Five of one target, of which each counts one a minute in its own way; and one that nobody had seen before."""
    for number in range(60):
        stamp = BASE + 60 * number + 1
        counters = {
            "steady": 100 + number,
            "reset": number % 40,
            "born": number - 30,
            "ended": number,
            "alien": 1000 + number,
        }
        for kind, value in counters.items():
            labels = {"job": "counting", "instance": "new" if kind == "alien" else "old", "kind": kind}
            is_there = {"born": number > 30, "ended": number < 45, "alien": number > 30}.get(kind, True)
            if is_there:
                yield HistorySample("counted_total", labels, stamp, float(value))


def known(fact: Fact[Any]) -> Any:
    """The value of a fact that must be measured, and say by what."""
    assert isinstance(fact, Measured), fact
    assert fact.sources
    return fact.value


def test_windows_run_from_the_first_sign_to_the_resolution(story: Story) -> None:
    """The alerting window begins when the alert was pending; both windows are widened to full minutes."""
    windows = story.evidence().windows
    assert windows.alerting == Window(minute(62), minute(81))
    assert windows.evidence == Window(minute(52), minute(86))
    assert windows.baseline == Window(minute(-8), minute(52))


def test_failed_and_total_requests_are_the_true_ones(story: Story) -> None:
    """Counts, ratios and budget spent in each window are exactly those of the story."""
    (slo,) = story.evidence().slos
    assert (slo.service, slo.slo) == (SERVICE, SLO)
    budget = (1 - OBJECTIVE) * events_in_window(85)
    for figures, (first, last) in ((slo.alerting, (62, 80)), (slo.evidence, (52, 85)), (slo.usual, (-8, 51))):
        failed, entries = failed_between(first, last), last - first + 1
        assert known(figures.failed) == failed
        assert known(figures.entries) == entries
        assert known(figures.total) == EVENTS_A_MINUTE * entries
        assert known(figures.error_ratio) == pytest.approx(failed / (EVENTS_A_MINUTE * entries))
        assert known(figures.budget_spent) == pytest.approx(failed / budget)
    assert known(slo.whole_budget) == pytest.approx(budget)
    assert known(slo.objective) == OBJECTIVE
    assert known(slo.slo_window) == timedelta(days=30)


def test_remaining_budget_before_and_after(story: Story) -> None:
    """Before: the last record before the evidence; after: the first record that has all of the incident in it."""
    (slo,) = story.evidence().slos
    before, after = known(slo.remaining_before), known(slo.remaining_after)
    assert (before.as_of, before.is_computed) == (entry_time(50), False)
    assert before.ratio == pytest.approx(remaining_at(50))
    assert (after.as_of, after.is_computed) == (entry_time(90), False)
    assert after.ratio == pytest.approx(remaining_at(90))


def test_remaining_budget_right_after_the_incident_is_computed(story: Story) -> None:
    """Before the next roll-up is recorded, the entries since the last one are counted in, and the draft says so."""
    (slo,) = story.evidence(now=minute(84, 30)).slos
    after = known(slo.remaining_after)
    assert after.is_computed
    assert after.ratio == pytest.approx(remaining_at(84))
    (at_record,) = story.evidence(now=minute(80, 30)).slos
    assert known(at_record.remaining_after).ratio == pytest.approx(remaining_at(80))


def test_peak_burn_rate_and_bad_minutes(story: Story) -> None:
    """The highest five-minute burn rate and the minutes that were surely worse than the objective."""
    (slo,) = story.evidence().slos
    peak, bad = known(slo.peak_burn), known(slo.bad_minutes)
    assert peak.burn_rate == pytest.approx(150 / 600 / (1 - OBJECTIVE))
    assert peak.at == entry_time(64)
    assert (bad.first, bad.last, bad.count) == (entry_time(60), entry_time(75), 16)
    assert (bad.first_failed, bad.first_total) == (30, EVENTS_A_MINUTE)


def test_other_slos_that_burned(story: Story) -> None:
    """The neighbour that burned is beyond chance, three stray failures aren't, healthy and idle ones aren't listed."""
    affected = known(story.evidence().affected)
    assert [(one.service, one.failed, one.total, one.is_beyond_chance) for one in affected] == [
        ("checkout", 160, 1700, True),
        ("search", 3, 1700, False),
    ]
    assert [one.usual_error_ratio for one in affected] == [0, 0]


def test_pending_and_notification_times(story: Story) -> None:
    """The alert was pending from the evaluation on that Prometheus has recorded."""
    (pending,) = known(story.evidence().alerts.pending)
    assert pending.since == entry_time(62)
    assert pending.alert.starts_at == entry_time(65)


def test_the_logs_tell_deeds_and_errors(story: Story) -> None:
    """Deeds of every service, the errors of the affected ones with counts, times, a trace and what is new."""
    logs = story.evidence().logs
    assert logs.services == (SERVICE, "checkout")
    assert [deed.record_id for deed in known(logs.deeds)] == ["deed-1", "deed-2", "deed-3"]
    assert known(logs.error_count) == 150 + 3 + 1
    fault, usual, critical = known(logs.errors)
    assert (fault.told.message, fault.told.count, fault.is_new) == (FAULT_MESSAGE, 150, True)
    assert (fault.told.first, fault.told.last) == (minute(60, 1), minute(74, 10))
    assert fault.told.trace_id
    assert fault.told.error_type == "OperationalError"
    assert (usual.told.message, usual.told.count, usual.usual_count) == (USUAL_MESSAGE, 3, 6)
    assert critical.told.level == "critical"
    assert known(logs.first_error).record_id == "fault-60-0"


def test_the_timeline_is_in_order_and_every_row_has_a_source(story: Story) -> None:
    """From the deployment before to the last notification, each row says what measured it."""
    rows = timeline(story.evidence())
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert all(row.sources for row in rows)
    assert [row.what.split(":")[0].split(" of ")[0].split(" (")[0] for row in rows] == [
        "deployment",
        "fault_started",
        "First error in the logs",
        "First minute entry",
        "Alert pending",
        "Alert firing",
        "Notification received",
        "Last minute entry",
        "fault_stopped",
        "Alert resolved",
        "Incident resolved",
        "Notification received",
    ]


def test_an_open_incident_is_counted_up_to_now(story: Story) -> None:
    """Nothing lies after the time of the draft, and Prometheus is asked whether the alert still fires."""
    evidence = story.evidence(now=minute(72, 30), is_open=True)
    assert evidence.windows.alerting == Window(minute(62), minute(72, 30))
    assert evidence.windows.evidence.end == minute(72, 30)
    assert known(evidence.slos[0].alerting.failed) == failed_between(62, 72)
    assert evidence.alerts.firing_now is not None
    assert known(evidence.alerts.firing_now) == 1
    forgotten = story.evidence(now=minute(120), is_open=True)
    assert forgotten.alerts.firing_now is not None
    assert known(forgotten.alerts.firing_now) == 0


def test_entries_on_the_boundary_count_once(story: Story) -> None:
    """A stamp at a window's start is the minute before it: adjacent windows share no entry and lose none."""
    selector = Selector("on_the_minute")
    counts = [
        known(story.metrics.value(total_within(selector, Window(minute(start), minute(start + 5))), minute(start + 5)))
        for start in range(0, 50, 5)
    ]
    assert counts == [5.0] * 10
    assert known(story.metrics.value(entries_within(selector, Window(minute(-5), minute(59))), minute(59))) == 60


def test_no_sample_several_samples_and_nan_are_not_zero(story: Story) -> None:
    """What isn't exactly one number isn't measured, and the reason is told."""
    for expression, reason in (
        ("nothing_of_that_name", "no such series"),
        ("sereno:events:delta1m", "5 series answer"),
        ("not_a_number", "nan"),
        ("sum(", "parse error"),
    ):
        fact = story.metrics.value(expression, minute(1))
        assert isinstance(fact, NotMeasured)
        assert reason in fact.reason


def test_a_time_without_any_record_is_not_measured(story: Story) -> None:
    """An incident before the recorded history has no figures, no zeros, and no division by nothing."""
    long_ago = Window(datetime(2020, 1, 1, 10, tzinfo=UTC), datetime(2020, 1, 1, 11, tzinfo=UTC))
    fact = story.metrics.value(total_within(Selector("sereno:events:delta1m"), long_ago), long_ago.end)
    assert isinstance(fact, NotMeasured)


def test_missing_entries_are_told(tmp_path: Path) -> None:
    """When the ledger has fewer entries than minutes, the counts are lower bounds and the draft knows."""
    gap = [sample for sample in history() if not BASE + 66 * 60 <= sample.timestamp < BASE + 70 * 60]
    write_incident(tmp_path / "i.sqlite")
    (incident,) = IncidentStore(tmp_path / "i.sqlite").incidents()
    with running_prometheus(tmp_path / "p", history=gap) as server, PrometheusClient(server.url) as client:
        metrics = open_metrics(client, LATER)
        evidence = gather(incident, "x", metrics, Logs(None, "none"), now=LATER, progress=lambda _: None)
        (slo,) = evidence.slos
        assert known(slo.alerting.entries) == 15
        assert known(slo.alerting.failed) == failed_between(62, 80) - failed_between(66, 69)


def test_counters_are_counted_from_their_birth_through_resets(story: Story) -> None:
    """Exact where nothing was reset; what is first seen on an unknown target counts only what grew since."""
    asked = counted_within('counted_total{job="counting"}', 'job="counting"', Window(minute(20), minute(50)))
    found = known(story.metrics.samples(asked, minute(50)))
    counts = {sample.labels["kind"]: sample.value for sample in found}
    assert (counts["steady"], counts["born"]) == (30, 19)
    assert counts["reset"] == pytest.approx(30, abs=1.5)
    assert counts["ended"] == pytest.approx(24.5, abs=1.5)
    assert counts["alien"] == pytest.approx(18.5, abs=1.5)
