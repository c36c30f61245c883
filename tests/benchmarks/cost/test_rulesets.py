"""Rule files as the cost of rules needs them."""

from benchmarks.cost.rulesets import read_rules, reads

_FILE = r"""
groups:
- name: minutes
  interval: 2m30s
  rules:
  - record: a:b
    expr: vector(1)
- name: without interval
  rules:
  - alert: Burn
    expr: a:b > 0
    annotations:
      description: 'Left: {{ with query "1 - a:b{slo=\"x\"}" }}{{ . | first | value }}{{ end }}, {{ $value }}.'
"""


def test_reads_how_often_rules_are_evaluated() -> None:
    """A group's interval says how often its rules are evaluated; without one it is the usual 30 seconds."""
    record, alert = read_rules(_FILE)
    assert (record.records, record.evaluations_per_minute) == (True, 0.4)
    assert (alert.records, alert.evaluations_per_minute) == (False, 2)


def test_finds_the_queries_of_annotations() -> None:
    """A query in an alert's annotation is found as PromQL, with its quotes unescaped."""
    _, alert = read_rules(_FILE)
    assert alert.template_queries == ('1 - a:b{slo="x"}',)


def test_says_how_far_a_selector_looks_back() -> None:
    """Range and offset add up, an instant selector looks back five minutes, a subquery adds its own range."""
    expr = "rate(a[1h] offset 5m) or b offset 1h or max_over_time(c[1d:5m])"
    found = {read.selector.name: read.back_ms for read in reads(expr)}
    assert found == {"a": 65 * 60_000, "b": 65 * 60_000, "c": (24 * 60 + 5) * 60_000}
