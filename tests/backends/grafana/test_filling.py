"""Variables of dashboards, filled in as Grafana does."""

import re
from datetime import UTC, datetime, timedelta

import promql_parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sereno_backends.grafana import TimeShown, Value, built_in_values, filled_in

START = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ('up{job="$job"}', 'up{job="api"}'),
        ('up{job="${job}"}', 'up{job="api"}'),
        ('up{job="[[job]]"}', 'up{job="api"}'),
        ("$jobs and $job_name", "$jobs and $job_name"),
        ('label_replace(up, "a", "$1", "b", "(.+)")', 'label_replace(up, "a", "$1", "b", "(.+)")'),
        ("$zones", "(eu|us)"),
        ("${zones:regex}", "(eu|us)"),
        ("[[zones:pipe]]", "eu|us"),
        ("${zones:csv}", "eu,us"),
        ("${zones}", "(eu|us)"),
        ("${zones:unheard_of}", "{eu,us}"),
        ("${zones:json}", '["eu","us"]'),
        ("${zones:lucene}", '("eu" OR "us")'),
        ("${one:regex}", r"a\.b"),
        ("$one", r"a\\.b"),
        ("${path:percentencode}", "a%2Fb%20c"),
        ("${__field.labels.service}", "${__field.labels.service}"),
        ("${__from:date:iso}", "2026-11-20T10:00:00.000Z"),
        ("${__to:date:seconds}", "1795190400"),
    ],
)
def test_variables_are_replaced_in_each_form(text: str, filled: str) -> None:
    """Every form that Grafana knows, in the format that is asked for; all else stays as it is."""
    values: dict[str, Value] = {"job": "api", "zones": ("eu", "us"), "one": ("a.b",), "path": "a/b c"}
    shown = TimeShown(START, START + timedelta(hours=6), timedelta(minutes=1))
    assert filled_in(text, {**built_in_values(shown), **values}) == filled


@settings(max_examples=60)
@given(st.lists(st.text("ab.:\\\"+*?(){}[]|^$'/-é ".replace('"', ""), min_size=1), min_size=1, unique=True), st.data())
def test_chosen_values_match_themselves_and_nothing_else(values: list[str], data: st.DataObject) -> None:
    """Whatever signs values have: the pattern in the parsed query finds each of them, and no other text."""
    query = filled_in('up{instance=~"$instance"}', {"instance": tuple(values)})
    parsed = promql_parser.parse(query)
    assert isinstance(parsed, promql_parser.VectorSelector)
    (matcher,) = parsed.matchers.matchers
    other = data.draw(st.text("ab.:", min_size=1))
    assert all(re.fullmatch(matcher.value, value) for value in values)
    assert bool(re.fullmatch(matcher.value, other)) == (other in values)


@pytest.mark.parametrize(
    ("interval", "scrapes", "rate_interval"), [(60, 15, "1m15s"), (15, 15, "1m"), (300, 15, "5m15s"), (15, 60, "4m")]
)
def test_rates_reach_over_four_scrapes_at_least(interval: int, scrapes: int, rate_interval: str) -> None:
    """`$__rate_interval` is the step and a scrape more, and never less than four scrapes."""
    shown = TimeShown(START, START + timedelta(hours=6), timedelta(seconds=interval), timedelta(seconds=scrapes))
    assert built_in_values(shown)["__rate_interval"] == rate_interval


def test_the_range_is_told_in_all_units() -> None:
    """`$__range` is what PromQL takes; the others are plain numbers."""
    values = built_in_values(TimeShown(START, START + timedelta(minutes=90), timedelta(seconds=30)))
    assert filled_in("$__range $__range_s $__range_ms $__interval_ms", values) == "5400s 5400 5400000 30000"
