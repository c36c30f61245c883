"""Which queries are understood, and as what: the table of docs/convert.md, case by case."""

import pytest
import yaml
from sereno_slo import SourceFile
from sereno_slo.convert import Conversion, convert, readable

BUCKET = 'sum(rate(latency_seconds_bucket{{job="a",le="{}"}}[{{{{.window}}}}]))'
COUNT = 'sum(rate(latency_seconds_count{job="a"}[{{.window}}]))'


def _of_sloth(total: str, bad: str) -> Conversion:
    sli = {"events": {"total_query": total, "error_query": bad}}
    document = {"version": "prometheus/v1", "service": "a", "slos": [{"name": "x", "objective": 99, "sli": sli}]}
    return convert(readable([SourceFile("a.yaml", yaml.safe_dump(document, width=1000))]).documents)


def _indicator(conversion: Conversion) -> object:
    (spec,) = conversion.specs
    (slo,) = yaml.safe_load(spec.source.text)["slos"]
    return slo["indicator"]


@pytest.mark.parametrize(
    ("bound", "threshold"),
    [("0.4", "400ms"), ("1", "1s"), ("1.0", "1s"), ("0.40", None), ("0.0005", None), ("+Inf", None), ("1e-1", None)],
)
def test_a_bound_is_a_threshold_if_it_is_written_alike(bound: str, threshold: str | None) -> None:
    """le="0.40" is another label than le="0.4": only what the compiler writes itself becomes a duration."""
    found = _indicator(_of_sloth(COUNT, f"{COUNT} - {BUCKET.format(bound)}"))
    latency = {"metric": "latency_seconds", "match": 'job="a"', "threshold": threshold}
    ratio = {
        "total": 'latency_seconds_count{job="a"}',
        "good": f'latency_seconds_bucket{{job="a", le="{bound}"}}',
    }
    assert found == ({"latency": latency} if threshold else {"ratio": ratio})


def _rate(selector: str) -> str:
    return f"sum(rate({selector}[{{{{.window}}}}]))"


@pytest.mark.parametrize(
    ("total", "bad", "expected"),
    [
        ("m{a='b'}", 'm{a="b",c!~"x|y"}', {"metric": "m", "match": 'a="b"', "bad": 'c!~"x|y"'}),
        ("m", 'm{c="d"}', {"metric": "m", "bad": 'c="d"'}),
        ('m{c=~".+"}', 'm{c="d"}', {"total": 'm{c=~".+"}', "bad": 'm{c="d"}'}),
        ("m", "n", {"total": "m", "bad": "n"}),
        ("m", "m", {"total": "m", "bad": "m"}),
        ("m", 'm{c="it\'s \\\\d"}', {"metric": "m", "bad": 'c="it\'s \\\\d"'}),
    ],
)
def test_one_metric_is_told_apart_by_its_further_matchers(total: str, bad: str, expected: dict[str, str]) -> None:
    """Where bad events are the same counter with more matchers, bad is part of all by construction."""
    assert _indicator(_of_sloth(_rate(total), _rate(bad))) == {"ratio": expected}


@pytest.mark.parametrize(
    "query",
    [
        "((sum((rate(n[{{ .window }}])))))",
        "sum(increase(n[{{.window}}]))",
        "sum(rate(n[{{.window}}])) or vector(0)",
        "(sum(rate(n[{{-.window-}}])) OR on() vector(0.0))",
    ],
)
def test_ways_of_writing_one_count(query: str) -> None:
    """Parentheses, increase, blanks in the template and zeros for gaps change no event."""
    conversion = _of_sloth(_rate("m"), query)
    assert _indicator(conversion) == {"ratio": {"total": "m", "bad": "n"}}
    assert conversion.is_whole


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("sum(rate(n[{{.window}}] offset 5m))", "looks at another time"),
        ("sum(rate(n[{{.window}}] @ 1))", "looks at another time"),
        ('sum(rate({job="a"}[{{.window}}]))', "names no metric"),
        ("sum(rate(n[1h:1m]))", "of an expression"),
        ("max(rate(n[{{.window}}]))", "by max"),
        ("sum without (a) (rate(n[{{.window}}]))", "keeps labels"),
        ("sum(rate(n[{{.window}}])) * 2", "joins counts by *"),
        ("sum(rate(n[{{.window}}])) - ignoring(a) sum(rate(o[{{.window}}]))", "joins counts by -"),
        ('sum(rate(n{a=~"(?<x>b)"}[{{.window}}]))', "regular expression"),
        ("", "missing"),
        ("5", "no sum of rates"),
    ],
)
def test_what_is_not_understood_is_left_out_with_the_reason(query: str, reason: str) -> None:
    """Nothing is guessed: the reason says what stands in the way."""
    conversion = _of_sloth(_rate("m"), query)
    assert conversion.specs == ()
    (error,) = conversion.diagnostics
    assert error.code == "SLO062"
    assert reason in error.message


def test_calendar_windows_are_written_as_the_grammar_has_them() -> None:
    """A calendar month of a time zone is written out; a version that can't count it leaves the SLO out, aloud."""
    text = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: calls}
spec:
  service: a
  indicator:
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: good_total}}}
        total: {metricSource: {type: Prometheus, spec: {query: calls_total}}}
  timeWindow:
    - {duration: 1M, isRolling: false, calendar: {startTime: 2026-01-01 00:00:00, timeZone: America/Bogota}}
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""
    conversion = convert(readable([SourceFile("a.yaml", text)]).documents)
    if conversion.specs:
        (slo,) = yaml.safe_load(conversion.specs[0].source.text)["slos"]
        assert slo["window"] == {"calendar": "month", "timezone": "America/Bogota"}
    else:
        assert "SLO101" in {each.code for each in conversion.diagnostics}
