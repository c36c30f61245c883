"""The Prometheus client against a real Prometheus: values, rules, alerts, refusals, warnings."""

import math
import time
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sereno_backends.prometheus import (
    AlertingRule,
    PrometheusClient,
    PrometheusIncomplete,
    PrometheusRefused,
    RecordingRule,
)
from support.ports import free_port
from support.prometheus import HistorySample, running_prometheus
from support.waiting import wait_for

BASE = int(time.time() // 3600) * 3600 - 6 * 3600
RULES = """
groups:
  - name: recorded
    interval: 1s
    rules:
      - record: test:one
        expr: vector(1)
        labels: {kind: recorded}
  - name: alerts
    interval: 1s
    rules:
      - {alert: AlwaysFires, expr: vector(7), labels: {severity: critical},
         annotations: {summary: "seven is {{ $value }}"}}
      - {alert: StaysPending, expr: vector(1), for: 1h}
"""
CONFIG = "global: {scrape_interval: 1s}\nrule_files: [rules.yml]\n"


def moment(seconds_after_base: float) -> datetime:
    """A moment of the test's history."""
    return datetime.fromtimestamp(BASE + seconds_after_base, UTC)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusClient]:
    """A client of a real Prometheus with a counted history and running rules."""
    directory = tmp_path_factory.mktemp("prometheus")
    (directory / "rules.yml").write_text(RULES, encoding="utf-8")
    history = [HistorySample("entries", {"slo": "a"}, BASE + 60 * minute + 0.5, float(minute)) for minute in range(60)]
    with (
        running_prometheus(directory, config=CONFIG, history=history) as server,
        PrometheusClient(server.url) as asked,
    ):
        yield asked


def test_instant_answers_labels_value_and_moment(client: PrometheusClient) -> None:
    """An instant query gives each series' labels, its value then, and the moment that was asked for."""
    (sample,) = client.instant("entries", moment(30 * 60 + 30))
    assert (dict(sample.labels), sample.value) == ({"__name__": "entries", "slo": "a"}, 30.0)
    assert sample.timestamp == moment(30 * 60 + 30)
    with pytest.raises(FrozenInstanceError):
        sample.value = 0  # type: ignore[misc]


def test_nothing_there_is_empty_and_not_zero(client: PrometheusClient) -> None:
    """An expression that matches nothing yields no sample at all."""
    assert client.instant("entries", moment(-3600)) == ()
    assert client.range("entries", moment(-3600), moment(-1800), timedelta(minutes=1)) == ()
    assert client.stored("entries[5m]", moment(-3600)) == ()


def test_range_steps_from_start_to_end_inclusive(client: PrometheusClient) -> None:
    """A range query has a point for each step, the ends included."""
    (series,) = client.range("entries", moment(601), moment(901), timedelta(minutes=1))
    assert [point.value for point in series.points] == [10, 11, 12, 13, 14, 15]
    assert [point.timestamp for point in series.points] == [moment(601 + 60 * step) for step in range(6)]


def test_stored_samples_keep_their_own_timestamps(client: PrometheusClient) -> None:
    """A range selector gives the samples as they were written, to the millisecond."""
    (series,) = client.stored("entries[2m59s999ms]", moment(600))
    assert [(point.timestamp, point.value) for point in series.points] == [
        (moment(420.5), 7),
        (moment(480.5), 8),
        (moment(540.5), 9),
    ]


@pytest.mark.parametrize(
    ("expression", "text"), [("vector(0) / 0", "nan"), ("vector(1) / 0", "inf"), ("vector(-1) / 0", "-inf")]
)
def test_nan_and_infinity_arrive_as_themselves(client: PrometheusClient, expression: str, text: str) -> None:
    """NaN and infinities survive the way and are recognised as nothing to count with."""
    (sample,) = client.instant(expression, moment(0))
    assert repr(sample.value) == text
    assert not sample.is_finite
    (series,) = client.range(expression, moment(0), moment(0), timedelta(seconds=60))
    assert not series.points[0].is_finite


def test_a_scalar_is_one_sample_without_labels(client: PrometheusClient) -> None:
    """A scalar expression is read as a single unlabelled sample."""
    (sample,) = client.instant("42", moment(0))
    assert (dict(sample.labels), sample.value, sample.is_finite) == ({}, 42.0, True)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("sum(", "parse error"),
        ("rate(entries)", "expected type range vector"),
        ('"text"', "yields a string"),
        ("entries[5m]", "yields a matrix"),
        ("entries * on(slo) group_left(x) label_replace(entries, 'slo', 'a', '', '') or entries{", "parse error"),
    ],
)
def test_a_bad_expression_is_refused_in_the_servers_words(
    client: PrometheusClient, expression: str, words: str
) -> None:
    """A wrong question raises `PrometheusRefused` and tells what the server said."""
    with pytest.raises(PrometheusRefused, match=words):
        client.instant(expression, moment(0))


def test_an_execution_error_is_refused(client: PrometheusClient) -> None:
    """A question that is well formed but can't be computed is refused, too, not empty."""
    with pytest.raises(PrometheusRefused, match=r"duplicate|many-to-many|multiple"):
        client.instant("entries * on () (vector(1) or label_replace(vector(2), 'a', 'b', '', ''))", moment(60))


def test_too_many_points_are_refused(client: PrometheusClient) -> None:
    """More points than the server gives out are a refusal, not a truncated series."""
    with pytest.raises(PrometheusRefused, match="11,000 points"):
        client.range("entries", moment(0), moment(86400), timedelta(seconds=1))


def test_a_moment_without_zone_is_our_mistake(client: PrometheusClient) -> None:
    """A naive datetime is a bug of the caller, not a question to guess about."""
    with pytest.raises(ValueError, match="time zone"):
        client.instant("entries", datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


def test_alerts_tell_state_and_since_when(client: PrometheusClient) -> None:
    """Pending and firing alerts come with labels, rendered annotations and the moment they became active."""
    wait_for(lambda: len(client.alerts()) == 2, what="both alerts")
    alerts = {alert.name: alert for alert in client.alerts()}
    fires, pends = alerts["AlwaysFires"], alerts["StaysPending"]
    assert (fires.state, fires.value, fires.annotations["summary"]) == ("firing", 7.0, "seven is 7")
    assert fires.labels == {"alertname": "AlwaysFires", "severity": "critical"}
    assert pends.state == "pending"
    assert abs((datetime.now(UTC) - pends.active_at).total_seconds()) < 600


def test_rules_are_recording_or_alerting(client: PrometheusClient) -> None:
    """Loaded groups come with their interval and typed rules, healthy ones without an error."""
    wait_for(lambda: client.instant("test:one", datetime.now(UTC)), what="a first evaluation")
    groups = {group.name: group for group in client.rules()}
    (recording,) = groups["recorded"].rules
    assert isinstance(recording, RecordingRule)
    assert (recording.name, recording.expression, recording.health) == ("test:one", "vector(1)", "ok")
    assert recording.last_error is None
    assert groups["recorded"].interval_seconds == 1.0
    pends = groups["alerts"].rules[1]
    assert isinstance(pends, AlertingRule)
    assert (pends.name, pends.for_seconds) == ("StaysPending", 3600.0)


def test_it_is_ready_and_named_without_credentials(client: PrometheusClient) -> None:
    """The server is ready, and its name in messages holds no password."""
    assert client.ready()
    with PrometheusClient(client.name.removeprefix("Prometheus ").replace("http://", "http://me:secret@")) as other:
        assert other.ready()
        assert "secret" not in other.name
        assert "me" not in other.name.removeprefix("Prometheus ")


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    client: PrometheusClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Prometheus on loopback is reached directly, whatever proxy the environment names."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with PrometheusClient(client.name.removeprefix("Prometheus ")) as direct:
        assert direct.ready()


def test_warnings_are_an_incomplete_answer(tmp_path: Path) -> None:
    """What a Prometheus answers while a part of its data can't be read raises, with the server's warning."""
    config = f"remote_read: [{{url: 'http://127.0.0.1:{free_port()}/read', read_recent: true}}]\n"
    with running_prometheus(tmp_path, config=config) as server, PrometheusClient(server.url) as asked:
        with pytest.raises(PrometheusIncomplete, match="remote_read") as caught:
            asked.instant("up", datetime.now(UTC))
        assert caught.value.warnings
        assert math.isclose(asked.instant("vector(2)", datetime.now(UTC))[0].value, 2.0)
