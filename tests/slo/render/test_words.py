"""Words for people."""

from dataclasses import replace

import pytest
from sereno_slo.duration import Duration
from sereno_slo.model import Indicator, NativeLatency, Probe, Threshold
from sereno_slo.promql import Selector
from sereno_slo.render.words import (
    bad_event_in_words,
    objective_in_words,
    percent,
    sentence,
    table_cell,
    window_in_words,
)
from support.slo_services import etl_worker, transactions_api


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (99.9, "of 1,000 events at most 1 may be bad"),
        (99.95, "of 2,000 events at most 1 may be bad"),
        (99.999, "of 100,000 events at most 1 may be bad"),
        (99.7, "of 1,000 events at most 3 may be bad"),
        (99.0, "of 100 events at most 1 may be bad"),
        (50.0, "of 2 events at most 1 may be bad"),
    ],
)
def test_objectives_are_counts(objective: float, words: str) -> None:
    """An objective is said in the smallest whole numbers, free of binary rounding."""
    assert objective_in_words(replace(transactions_api().slos[0], objective_percent=objective)) == words


@pytest.mark.parametrize(("text", "words"), [("30d", "30 days"), ("24h", "1 day"), ("36h", "1d12h"), ("5m", "5m")])
def test_windows_are_days_where_they_can_be(text: str, words: str) -> None:
    """Whole days are words, the rest stays as Prometheus writes it."""
    assert window_in_words(Duration.parse(text)) == words


def test_percentages_have_no_noise() -> None:
    """What binary floating point adds is not shown."""
    assert percent(100 - 99.9) == "0.1 %"
    assert percent(99.9999999) == "99.9999999 %"


def test_bad_events_are_explained_by_their_indicator() -> None:
    """Each kind of indicator says what makes an event bad."""
    bad, slow = (bad_event_in_words(slo.indicator) for slo in transactions_api().slos)
    assert bad.startswith("it is counted by `http_server_request_duration_seconds_count{")
    assert slow == "it took longer than 0.3 s"
    assert (
        bad_event_in_words(etl_worker().slos[0].indicator) == 'it is not counted by `etl_rows_loaded_total{job="etl"}`'
    )


@pytest.mark.parametrize(
    ("indicator", "words"),
    [
        (Threshold(Selector("queue_length"), None, 900), "it is a minute in which `queue_length` was above 900"),
        (Threshold(Selector("room"), -5.5, 30), "it is a minute in which `room` was above 30 or below -5.5"),
        (Probe(Selector("up")), "it is a minute in which `up` was 0"),
        (NativeLatency(Selector("seconds"), 0.32), "it took longer than 0.32 s"),
    ],
)
def test_time_slices_are_minutes(indicator: Indicator, words: str) -> None:
    """What is judged minute by minute is explained in minutes, its objective too."""
    assert bad_event_in_words(indicator) == words
    counted = "events" if isinstance(indicator, NativeLatency) else "minutes"
    slo = replace(transactions_api().slos[0], indicator=indicator)
    assert objective_in_words(slo) == f"of 1,000 {counted} at most 1 may be bad"


def test_sentences_and_cells() -> None:
    """Sentences end once, cells hold neither line breaks nor bare bars."""
    assert [sentence(words) for words in ("a\n b", "a.", "")] == ["a b.", "a.", ""]
    assert table_cell("a |\nb") == "a \\| b"
