"""What is read of the plans of this system's providers, from the real servers."""

import calendar
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from sereno_exporters.quotas.kind import KIND
from support.configured_exporters import scraped
from support.prometheus import HistorySample, running_prometheus
from support.rabbitmq import marked as rabbitmq_marked
from support.rabbitmq_management import ManagedBroker
from support.redis import marked as redis_marked

WRITTEN = Path(__file__).parents[3] / "systems" / "tournaments" / "exporters.yaml"
MEASURED_COMMANDS_PER_SECOND = 9.73
"""Of a healthy demo at the day's mean: what its README says."""

pytestmark = [rabbitmq_marked[0], redis_marked[0], pytest.mark.xdist_group("rabbitmq")]


def test_healthy_traffic_keeps_within_the_plan_and_twice_of_it_does_not() -> None:
    """Of every month the demo's commands leave a reserve; a fault that doubles them is forecast."""
    text = WRITTEN.read_text().replace("${redis.port}", "1")
    quotas = yaml.safe_load(text)["exporters"]["quotas"]["targets"]["redis"]["quotas"]
    (limit,) = [quota["limit"] for quota in quotas if quota["name"] == "commands"]
    for month in range(1, 13):
        seconds = calendar.monthrange(2027, month)[1] * 86_400
        assert 0.5 < MEASURED_COMMANDS_PER_SECOND * seconds / limit < 0.75


@contextmanager
def _prometheus(folder: Path) -> Iterator[str]:
    """What the PostgreSQL exporter tells of a server with three of our databases, and counters of Redis."""
    names = ("accounts", "catalogue", "tickets", "postgres", "template0", "template1")
    now, ours = time.time(), {"system": "tournaments"}
    history = [
        *(
            HistorySample("pg_database_size_bytes", {"system": "tournaments", "datname": name}, now, 8e6)
            for name in names
        ),
        *(
            HistorySample(f"redis_{what}_total", ours, now - 60 + second, second * 10.0)
            for what in ("commands_processed", "net_input_bytes", "net_output_bytes")
            for second in range(0, 61, 5)
        ),
    ]
    with running_prometheus(folder, history=history) as server:
        yield server.url


def test_every_quota_is_read(tmp_path: Path, managed_rabbitmq: ManagedBroker, redis_port: int) -> None:
    """Databases that are ours only; the broker's connections and virtual hosts; of Redis all four."""
    for name in ("broker.user", "broker.password"):
        (tmp_path / name).write_text("guest")
    managed_rabbitmq.add_vhost("tournaments-quotas")
    try:
        with _prometheus(tmp_path) as prometheus_url:
            words = {
                "prometheus": prometheus_url,
                "redis.port": str(redis_port),
                "rabbitmq.management": managed_rabbitmq.url,
            }
            text = WRITTEN.read_text().partition("    targets:\n")[2]
            for word, value in words.items():
                text = text.replace(f"${{{word}}}", value)
            found = scraped(KIND, text.replace("$$", "$"), tmp_path)
    finally:
        managed_rabbitmq.call("DELETE", "/vhosts/tournaments-quotas")
    assert found.failed == {}
    used = found.series("sereno_quotas_used")
    assert used[("databases",)] == 3
    assert used[("virtual_hosts",)] == len(managed_rabbitmq.call("GET", "/vhosts")) + 1
    assert {quota for (quota,) in used} == {
        "bandwidth", "commands", "connections", "databases", "storage", "virtual_hosts",
    }  # fmt: skip
