"""Samples counted by hand."""

import pytest

from benchmarks.cost.counting import Known, counted_samples
from benchmarks.cost.rulesets import CountingError

_SERIES = (
    Known({"__name__": "requests_total", "code": "200"}, 30_000),
    Known({"__name__": "requests_total", "code": "500"}, 30_000),
    Known({"__name__": "requests:rate5m"}, 60_000),
)


@pytest.mark.parametrize(
    ("expr", "samples"),
    [
        ("requests_total", 2),
        ('requests_total{code=~"5.."}', 1),
        ('requests_total{code!~"5.."} + requests_total{code!="200"}', 2),
        ('requests_total{missing="x"}', 0),
        ("sum(rate(requests_total[5m]))", 20),
        ("sum(rate(requests_total[5m] offset 1h)) / avg_over_time(requests:rate5m[1h])", 80),
        ('count({__name__=~"requests.*"})', 3),
        ("vector(1)", 0),
    ],
)
def test_counts_series_times_samples_in_range(expr: str, samples: int) -> None:
    """A range counts all of its samples, an instant selector one, of each series that matches."""
    assert counted_samples(expr, _SERIES) == samples


def test_refuses_subqueries() -> None:
    """A subquery, whose steps the engine counts in its own way, is refused rather than counted wrongly."""
    with pytest.raises(CountingError, match="subqueries"):
        counted_samples("sum_over_time(requests:rate5m[1d:5m])", _SERIES)


def test_a_colon_in_a_matcher_is_no_subquery() -> None:
    """Text between quotes is never read as a subquery."""
    assert counted_samples('requests_total{code!="[1d:5m]"}', _SERIES) == 2
