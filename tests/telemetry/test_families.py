"""Families that stay small and cheap."""

from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry
from sereno_telemetry.metrics.families import OVERFLOW, CounterFamily, HistogramChild, HistogramFamily


def samples(registry: CollectorRegistry, name: str) -> Mapping[tuple[str, ...], float]:
    """Label values → value of the samples of that name."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name
    }


def test_values_beyond_a_limit_are_counted_together(registry: CollectorRegistry) -> None:
    """Nothing is lost to a limit: what comes after it is counted in the overflow value, and that is counted."""
    tenants = CounterFamily(registry, "orders_total", "Orders.", {"tenant": 3, "outcome": None})
    for number in range(10):
        tenants.child(f"tenant-{number}", "ok").inc()
    tenants.child("tenant-0", "failed").inc()
    assert samples(registry, "orders_total") == {
        ("tenant-0", "ok"): 1,
        ("tenant-1", "ok"): 1,
        ("tenant-2", "ok"): 1,
        (OVERFLOW, "ok"): 7,
        ("tenant-0", "failed"): 1,
    }
    assert samples(registry, "sereno_telemetry_overflows_total") == {("orders_total", "tenant"): 7}


def test_hostile_values_leave_nothing_behind(registry: CollectorRegistry) -> None:
    """A value that was refused isn't remembered either: memory doesn't grow with what clients invent."""
    tenants = CounterFamily(registry, "orders_total", "Orders.", {"tenant": 3})
    for number in range(1000):
        tenants.child(f"tenant-{number}").inc()
    assert len(tenants._children) == 4


def test_a_child_is_made_once(registry: CollectorRegistry) -> None:
    """The second call for the same values costs a dictionary lookup."""
    durations = HistogramFamily(registry, "work_seconds", "Work.", {"kind": None}, (0.1, 1))
    assert durations.child("a") is durations.child("a")
    assert durations.child("a") is not durations.child("b")


def test_a_bucket_takes_one_exemplar_a_second(registry: CollectorRegistry) -> None:
    """Each bucket has an exemplar at once, a fresh one every second, and those between are not paid for."""
    now = 100.0
    family = HistogramFamily(registry, "work_seconds", "Work.", {"kind": None}, (0.1, 1))
    child = HistogramChild(family.child("a")._histogram, (0.1, 1), clock=lambda: now)

    def exemplars() -> list[str | None]:
        return [
            sample.exemplar.labels["trace_id"] if sample.exemplar else None
            for metric in registry.collect()
            for sample in metric.samples
            if sample.name == "work_seconds_bucket"
        ]

    child.observe(0.1, "first")
    child.observe(0.05, "second")
    child.observe(5, "slow")
    assert exemplars() == ["first", None, "slow"]
    now = 101.0
    child.observe(0.05, "third")
    assert exemplars() == ["third", None, "slow"]
    assert registry.get_sample_value("work_seconds_count", {"kind": "a"}) == pytest.approx(4)
