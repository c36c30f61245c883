"""Elasticsearch's disk watermarks, in all forms in which they can be set."""

import pytest
from elasticsearch import Elasticsearch
from sereno_backends.logs.health.watermarks import watermarks
from support.elasticsearch import ElasticsearchServer

GB = 1024**3
LOW = "cluster.routing.allocation.disk.watermark.low"
STANDARD = {
    "cluster.routing.allocation.disk.watermark.low": "85%",
    "cluster.routing.allocation.disk.watermark.low.max_headroom": "200GB",
}


@pytest.mark.parametrize(
    ("persistent", "defaults", "total_gigabytes", "expected_gigabytes"),
    [
        ({}, STANDARD, 100, 15),
        ({}, STANDARD, 4_000, 200),
        ({}, {}, 100, 15),
        ({LOW: "90%"}, {f"{LOW}.max_headroom": "-1"}, 4_000, 400),
        ({LOW: "0.9"}, {}, 100, 10),
        ({LOW: "90%", f"{LOW}.max_headroom": "50gb"}, {}, 4_000, 50),
        ({f"{LOW}.max_headroom": "100gb"}, STANDARD, 4_000, 100),
        ({LOW: "30gb"}, {f"{LOW}.max_headroom": "200GB"}, 4_000, 30),
        # of elasticsearch.yml the server shows the watermark, and a headroom that doesn't apply then
        ({}, {LOW: "80%", f"{LOW}.max_headroom": "200GB"}, 4_000, 800),
    ],
)
def test_how_much_has_to_stay_free(
    persistent: dict[str, str], defaults: dict[str, str], total_gigabytes: int, expected_gigabytes: float
) -> None:
    """Shares, ratios and bytes; a share asks for no more than the headroom, which is there by default only."""
    low, _, _ = watermarks({"persistent": persistent, "transient": {}, "defaults": defaults})
    assert low.least_free_bytes(total_gigabytes * GB) == pytest.approx(expected_gigabytes * GB, abs=1)


@pytest.mark.elasticsearch
@pytest.mark.xdist_group("elasticsearch")
def test_a_real_server_says_the_same(elasticsearch: ElasticsearchServer) -> None:
    """What scripts/elasticsearch writes into its configuration is read from the running server."""
    with Elasticsearch(elasticsearch.url) as client:
        settings = client.cluster.get_settings(include_defaults=True, flat_settings=True)
    found = {str(each.name): each.least_free_bytes(1_000 * GB) for each in watermarks(settings.body)}
    assert found == {"low": 300 * 1024**2, "high": 200 * 1024**2, "flood_stage": 100 * 1024**2}
