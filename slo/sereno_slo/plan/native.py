"""Counting on native histograms (Prometheus documentation, "Native histograms"): one series holds all buckets.

Prometheus 2.42 neither subtracts histograms nor knows `last_over_time` of them (both silently answer 0, measured), so
samples are looked up one by one, and what is subtracted are counts. An instant look-up ends at a staleness marker: what
a series counted between the last evaluation and its end is lost.
"""

from sereno_slo.model import NativeLatency
from sereno_slo.plan.counting import Raw, appeared, begun
from sereno_slo.promql import Aggregation, Call, Expr, Number, any_of


def observations(latency: NativeLatency, raw: Raw, by: tuple[str, ...] = ()) -> Expr:
    """How many durations were observed in the entry's minute."""
    histogram = latency.histogram
    now, before = _count(raw.latest(histogram)), _count(_before(latency, raw))
    grown = now - (before <= now)
    return Aggregation("sum", any_of(*begun(now, histogram, raw), grown, *appeared(now, histogram, raw)), by)


def fast_observations(latency: NativeLatency, raw: Raw, by: tuple[str, ...] = ()) -> Expr:
    """How many of them were not slower than the threshold.

    Exact where the threshold is a bucket's bound. Otherwise the observations within its bucket are split by
    interpolation, now and before, so that the error of a sum of minutes is that of its two ends, never more than what
    this bucket holds. A client that lowers a histogram's resolution moves the split once, by as much at most.
    """
    histogram = latency.histogram
    now, before = raw.latest(histogram), _before(latency, raw)
    fast = _fast(latency, now)
    grown = fast - _fast(latency, before).and_(_count(before) <= _count(now))
    return Aggregation("sum", any_of(*begun(fast, histogram, raw), grown, *appeared(fast, histogram, raw)), by)


def _before(latency: NativeLatency, raw: Raw) -> Expr:
    """The last sample before the entry's minute."""
    return any_of(*(raw.earlier(latency.histogram, offset) for offset in raw.offsets()))


def _count(histogram: Expr) -> Call:
    return Call("histogram_count", (histogram,))


def _fast(latency: NativeLatency, histogram: Expr) -> Expr:
    """The fraction of no observations is not a number, hence `>= 0`: where nothing was observed, nothing was fast."""
    fraction = Call("histogram_fraction", (Number(0), Number(latency.threshold_seconds), histogram))
    return ((fraction * _count(histogram)) >= 0).or_(0 * _count(histogram))
