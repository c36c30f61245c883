"""Counting on native histograms (Prometheus documentation, "Native histograms"): one series holds all buckets."""

from sereno_slo.model import NativeLatency
from sereno_slo.plan.counting import Raw, appeared, begun
from sereno_slo.promql import Aggregation, Call, Expr, Number, any_of


def _count(histogram: Expr) -> Call:
    return Call("histogram_count", (histogram,))


def observations(latency: NativeLatency, raw: Raw, by: tuple[str, ...] = ()) -> Expr:
    """How many durations were observed in the entry's minute."""
    histogram = latency.histogram
    now = _count(raw.now(histogram))
    branches = (*begun(now, histogram, raw), _growth(latency, raw), *appeared(now, histogram, raw))
    return Aggregation("sum", any_of(*branches), by)


def fast_observations(latency: NativeLatency, raw: Raw, by: tuple[str, ...] = ()) -> Expr:
    """How many of them were not slower than the threshold, interpolated within the bucket that it falls into.

    The minute's own distribution is asked, not the difference of two cumulative answers: a server may lower a
    histogram's resolution between two scrapes, which moves interpolated counts up or down.
    """
    histogram = latency.histogram
    now, before = raw.now(histogram), raw.before(histogram)
    growth = _growth(latency, raw)
    # The fraction of no observations is NaN, hence `>= 0`; where nothing was observed, nothing was fast.
    fast = ((_fraction(latency, now - before) * growth) >= 0).or_(growth.equals(0))
    all_of_it = (_fraction(latency, now) * _count(now)) >= 0
    branches = (*begun(all_of_it, histogram, raw), fast, *appeared(all_of_it, histogram, raw))
    return Aggregation("sum", any_of(*branches), by)


def _growth(latency: NativeLatency, raw: Raw) -> Expr:
    now, before = _count(raw.now(latency.histogram)), _count(raw.before(latency.histogram))
    return now - (before <= now)


def _fraction(latency: NativeLatency, histogram: Expr) -> Expr:
    return Call("histogram_fraction", (Number(0), Number(latency.threshold_seconds), histogram))
