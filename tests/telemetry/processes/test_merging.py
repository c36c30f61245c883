"""Values of many processes made one."""

import math
from collections.abc import Mapping

import pytest
from prometheus_client.samples import Exemplar
from sereno_telemetry.processes.exemplars import decode, encode
from sereno_telemetry.processes.mapped import Entry
from sereno_telemetry.processes.merging import Amounts, add, families

BUCKET = '["took", "took_bucket", {"le": "%s", "route": "/a"}, "Took."]'
SUM = '["took", "took_sum", {"route": "/a"}, "Took."]'


def shown(amounts: Amounts, exemplars: Mapping[str, Exemplar] | None = None) -> dict[str, float]:
    """Sample with its labels → value."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in families(amounts, exemplars or {})
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("mode", "value"),
    [("sum", 9), ("livesum", 9), ("max", 7), ("livemax", 7), ("min", 2), ("livemin", 2), ("mostrecent", 2)],
)
def test_gauges_are_merged_by_their_mode(mode: str, value: float) -> None:
    """Each mode means what prometheus_client says; the most recent is told by its time, not by its file."""
    amounts: Amounts = {}
    add(amounts, "gauge", mode, 1, [Entry('["depth", "depth", {}, "Depth."]', 2, 200)])
    add(amounts, "gauge", mode, 2, [Entry('["depth", "depth", {}, "Depth."]', 7, 100)])
    assert shown(amounts) == {"depth[]": value}


@pytest.mark.parametrize("mode", ["all", "liveall"])
def test_gauges_of_each_process_stay_apart(mode: str) -> None:
    """Without a rule to merge by, a gauge is one series for each process."""
    amounts: Amounts = {}
    add(amounts, "gauge", mode, 1, [Entry('["depth", "depth", {}, "Depth."]', 2, 0)])
    add(amounts, "gauge", mode, 2, [Entry('["depth", "depth", {}, "Depth."]', 7, 0)])
    assert shown(amounts) == {"depth[('pid', '1')]": 2, "depth[('pid', '2')]": 7}


def test_histograms_are_added_bucket_by_bucket_and_made_cumulative() -> None:
    """Bounds come out in order of their numbers, whichever process had them, with the exemplars of their buckets."""
    amounts: Amounts = {}
    add(amounts, "histogram", "", 1, [Entry(BUCKET % "+Inf", 1, 0), Entry(BUCKET % "0.5", 2, 0), Entry(SUM, 3.5, 0)])
    add(amounts, "histogram", "", 2, [Entry(BUCKET % "10.0", 4, 0), Entry(BUCKET % "0.5", 5, 0), Entry(SUM, 1, 0)])
    exemplar = Exemplar({"trace_id": "a" * 32}, 3.0, 100.0)
    (family,) = families(amounts, {BUCKET % "10.0": exemplar})
    assert [(sample.name, sample.labels.get("le"), sample.value) for sample in family.samples] == [
        ("took_bucket", "0.5", 7),
        ("took_bucket", "10.0", 11),
        ("took_bucket", "+Inf", 12),
        ("took_count", None, 12),
        ("took_sum", None, 4.5),
    ]
    assert [sample.exemplar for sample in family.samples] == [None, exemplar, None, None, None]


def test_a_series_whose_help_text_was_changed_is_one_series() -> None:
    """Workers of two versions of a service serve beside each other during a reload."""
    amounts: Amounts = {}
    add(amounts, "counter", "", 1, [Entry('["orders", "orders_total", {}, "Orders."]', 2, 0)])
    add(amounts, "counter", "", 2, [Entry('["orders", "orders_total", {}, "Orders taken."]', 3, 0)])
    assert shown(amounts) == {"orders_total[]": 5}


def test_keys_of_nobody_and_kinds_that_clash_are_left_out() -> None:
    """What isn't ours, or is of two kinds, doesn't stop the rest."""
    amounts: Amounts = {}
    add(amounts, "counter", "", 1, [Entry("nonsense", 1, 0), Entry('["a", 1, {}, ""]', 1, 0), Entry("[1]", 1, 0)])
    add(amounts, "counter", "", 1, [Entry('["orders", "orders_total", {}, ""]', 2, 0)])
    add(amounts, "gauge", "sum", 1, [Entry('["orders", "orders", {}, ""]', 2, 0)])
    assert shown(amounts) == {"orders_total[]": 2}


def test_exemplars_come_back_from_a_file_as_they_were() -> None:
    """Also those whose value JSON has no number for; those with text that it has no form for are left out."""
    kept = {
        "a": Exemplar({"trace_id": "1"}, 0.5, 100.5),
        "b": Exemplar({"trace_id": "2"}, math.inf, None),
    }
    assert decode(encode(kept)) == kept
    assert decode(encode({**kept, "c": Exemplar({"trace_id": "\ud800"}, 1, 1)})) == kept


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b'{"a": [{"b": 1}, 1, 1]}', b'{"a": [{}, "x", 1]}'])
def test_what_is_no_file_of_exemplars_is_told(content: bytes) -> None:
    """Torn and foreign content is a ValueError, which a scrape counts and goes on."""
    with pytest.raises(ValueError, match=r".+"):
        decode(content)
