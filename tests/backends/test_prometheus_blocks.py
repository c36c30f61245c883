"""Samples of the past, written as blocks and read back by a real Prometheus."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sereno_backends.prometheus import (
    BlocksNotWritten,
    PrometheusClient,
    StoredSeries,
    blocks_in,
    find_promtool,
    write_blocks,
)
from support.prometheus import running_prometheus
from support.waiting import wait_for

BEGIN_MS = int(time.time() * 1000) - 6 * 3_600_000
RULES = "groups: [{name: g, interval: 1s, rules: [{record: one, expr: vector(1)}]}]"


@pytest.fixture(scope="module")
def promtool() -> str:
    """The real one."""
    found = find_promtool()
    assert found is not None
    return found


def test_every_millisecond_value_and_label_survives(tmp_path: Path, promtool: str) -> None:
    """What is read back are the very moments, values and labels that were written, however odd."""
    labels = {"path": 'a\\b "c"\nd', "empty": ""}
    points = tuple((BEGIN_MS + 1_001 * number, number / 3 - 5) for number in range(1_000))
    other = StoredSeries("entries", {"slo": "b"}, ((BEGIN_MS, 1e300),))
    blocks = write_blocks([StoredSeries("entries", labels, points), other], tmp_path / "data", promtool)
    assert blocks == blocks_in(tmp_path / "data")
    assert {path.name for path in (tmp_path / "data").iterdir()} == {block.name for block in blocks}
    with running_prometheus(tmp_path) as server, PrometheusClient(server.url) as client:
        end = datetime.fromtimestamp(BEGIN_MS / 1000 + 3_600, UTC)
        read = {tuple(sorted(series.labels.items())): series.points for series in client.stored("entries[2h]", end)}
    expected = (("__name__", "entries"), ("path", labels["path"]))
    assert [(round(p.timestamp.timestamp() * 1000), p.value) for p in read[expected]] == list(points)
    assert [point.value for point in read[("__name__", "entries"), ("slo", "b")]] == [1e300]


def test_what_promtool_refuses_is_told_and_leaves_nothing(tmp_path: Path, promtool: str) -> None:
    """A name that is none is promtool's refusal, in its words, and the folder stays empty."""
    with pytest.raises(BlocksNotWritten, match="promtool said"):
        write_blocks([StoredSeries("no name", {}, ((BEGIN_MS, 1.0),))], tmp_path / "data", promtool)
    assert list((tmp_path / "data").iterdir()) == []


def test_the_head_begins_with_what_is_not_in_blocks(tmp_path: Path, promtool: str) -> None:
    """A server with blocks only has no head; that of one that records begins after its last block."""
    write_blocks([StoredSeries("entries", {}, ((BEGIN_MS, 1.0),))], tmp_path / "data", promtool)
    with running_prometheus(tmp_path) as server, PrometheusClient(server.url) as client:
        assert client.head_start() is None
    (tmp_path / "rules.yml").write_text(RULES)
    config = "rule_files: [rules.yml]\n"
    with running_prometheus(tmp_path, config=config) as server, PrometheusClient(server.url) as client:
        wait_for(lambda: client.instant("one", datetime.now(UTC)), what="a recorded sample")
        head = client.head_start()
        assert head is not None
        assert datetime.fromtimestamp(BEGIN_MS / 1000, UTC) < head <= datetime.now(UTC)
