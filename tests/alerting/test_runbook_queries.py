"""Every query of a runbook, asked of a real Prometheus in the middle of an incident."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.prometheus import HistorySample, RunningProcess, running_prometheus
from support.runbook_queries import failures, of_alerts, of_slos, slo_incident

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_790_000_000.0
MINUTES = 20

pytestmark = pytest.mark.xdist_group("runbook-queries")


def of_standard_exporters() -> set[Path]:
    """Runbooks whose queries are asked before real exporters: tests/exporters/standard/test_served.py."""
    names = ["standard", *(path.parent.name for path in (ROOT / "exporters" / "standard").glob("*/scrape.yaml"))]
    texts = [(ROOT / f"alerting/rules/handwritten/{name}.rules.yaml").read_text() for name in names]
    return {ROOT / "runbooks" / f"{alert}.md" for text in texts for alert in re.findall(r"- alert: (\w+)", text)}


ASKED = sorted({*of_alerts(), *of_slos()} - of_standard_exporters())

# Series as their sources write them, with (value at the start, growth a minute): a service that fails, rules and
# notifications that fail, dead letters. The runbooks' placeholders are the names of service, SLO and job.
SLO = 'service="SERVICE", slo="SLO"'
REQUESTS = 'http_route="/pay", http_request_method="POST", http_response_status_code="500"'
REMOTE = 'job="prometheus", instance="p1", remote_name="mimir", url="http://m"'
DISK = 'job="sereno-collector", instance="l1", disk="n1"'
INCIDENT: dict[str, tuple[float, float]] = {
    f"sereno:bad_events:delta1m{{{SLO}}}": (50, 0),
    f"sereno:events:delta1m{{{SLO}}}": (100, 0),
    f"sereno:bad_events:1h{{{SLO}}}": (1000, 0),
    f"sereno:bad_events:window{{{SLO}}}": (9000, 1),
    f"sereno:events:5m{{{SLO}}}": (500, 0),
    f"sereno:events:same_hour5m{{{SLO}}}": (9000, 0),
    f"sereno:events:expected5m{{{SLO}}}": (500, 0),
    f"sereno:error_ratio:5m{{{SLO}}}": (0.5, 0),
    f"sereno:error_ratio:1h{{{SLO}}}": (0.1, 0),
    f"sereno:error_budget_remaining:ratio{{{SLO}}}": (0.4, -0.001),
    f"sereno:coverage:ratio{{{SLO}}}": (0.99, 0),
    f"sereno_slo_objective_ratio{{{SLO}}}": (0.999, 0),
    f"sereno_slo_window_seconds{{{SLO}}}": (2_592_000, 0),
    f'http_server_request_duration_seconds_count{{job="JOB", instance="s1", {REQUESTS}}}': (0, 50),
    f'http_server_request_duration_seconds_bucket{{job="JOB", instance="s1", {REQUESTS}, le="0.25"}}': (0, 50),
    'process_start_time_seconds{job="JOB", instance="s1"}': (NOW - 1200, 0),
    'process_start_time_seconds{job="sereno-collector", instance="l1"}': (NOW - 1200, 60),
    'up{job="JOB", instance="s1"}': (1, 0),
    'up{job="sereno-collector", instance="l1"}': (0, 0),
    'ALERTS{alertname="Watchdog", alertstate="firing", severity="none"}': (1, 0),
    'ALERTS{alertname="SLOErrorBudgetBurn", alertstate="firing", severity="critical"}': (1, 0),
    'sereno_collector_documents_total{job="sereno-collector", instance="l1", outcome="dead_lettered"}': (0, 1),
    'sereno_collector_documents_total{job="sereno-collector", instance="l1", outcome="received"}': (0, 99),
    'sereno_collector_documents_total{job="sereno-collector", instance="l1", outcome="indexed"}': (0, 9),
    'sereno_collector_lag_bytes{job="sereno-collector", instance="l1"}': (4096, 0),
    'sereno_collector_missing_documents{job="sereno-collector", instance="l1"}': (0, 1),
    'sereno_collector_queue_bytes{job="sereno-collector", instance="l1"}': (4096, 4096),
    'sereno_collector_queue_limit_bytes{job="sereno-collector", instance="l1"}': (100_000, 0),
    'sereno_collector_queue_oldest_age_seconds{job="sereno-collector", instance="l1"}': (0, 60),
    'sereno_collector_last_write_timestamp_seconds{job="sereno-collector", instance="l1"}': (NOW - 1200, 0),
    f'sereno_collector_store_disk_seconds_until_watermark{{{DISK}, watermark="flood_stage"}}': (30_000, -60),
    f'sereno_collector_store_disk_watermark_bytes{{{DISK}, watermark="flood_stage"}}': (100_000, 0),
    f"sereno_collector_store_disk_available_bytes{{{DISK}}}": (900_000, -1000),
    'sereno_collector_housekeeping_last_success_timestamp_seconds{chore="retention"}': (NOW - 30_000, 0),
    'sereno_collector_housekeeping_failures_total{chore="retention"}': (0, 0.1),
    'sereno_log_messages_total{job="sereno-collector", service="SERVICE", level="error", fingerprint="a1"}': (0, 5),
    'sereno_log_fingerprint_info{job="sereno-collector", service="SERVICE", fingerprint="a1", template="t"}': (1, 0),
    'sereno_devops_store_up{job="sereno-devops", instance="d1"}': (0, 0),
    'sereno_devops_deliveries_total{job="sereno-devops", source="github", outcome="unavailable"}': (0, 1),
    'sereno_devops_deliveries_total{job="sereno-devops", source="github", outcome="unauthenticated"}': (0, 1),
    'sereno_devops_deliveries_total{job="sereno-devops", source="github", outcome="unknown_schema"}': (0, 1),
    'sereno_devops_last_delivery_timestamp_seconds{job="sereno-devops", source="github"}': (NOW - 900_000, 0),
    'sereno_devops_usual_silence_seconds{job="sereno-devops", source="github"}': (200_000, 0),
    'sereno_devops_forward_waiting_events{job="sereno-devops", instance="d1"}': (9, 1),
    'sereno_devops_forward_failures_total{job="sereno-devops", instance="d1"}': (0, 1),
    'sereno_devops_forwarded_total{job="sereno-devops", instance="d1", outcome="indexed"}': (0, 1),
    'sereno_rabbitmq_part_up{target="shop", part="queues"}': (0, 0),
    'sereno_rabbitmq_queue_ready_messages{target="shop", vhost="/", queue="orders"}': (9, 1),
    'sereno_rabbitmq_queue_unacknowledged_messages{target="shop", vhost="/", queue="orders"}': (5, 0),
    'sereno_rabbitmq_queue_oldest_age_seconds{target="shop", vhost="/", queue="orders"}': (900, 60),
    'sereno_rabbitmq_queue_consumers{target="shop", vhost="/", queue="orders"}': (1, 0),
    'sereno_rabbitmq_queue_published_total{target="shop", vhost="/", queue="orders"}': (0, 5),
    'sereno_rabbitmq_queue_acknowledged_total{target="shop", vhost="/", queue="orders"}': (0, 4),
    'sereno_rabbitmq_queue_redelivered_total{target="shop", vhost="/", queue="orders"}': (0, 1),
    'sereno_rabbitmq_dead_letter_messages{target="shop", vhost="/", queue="dead"}': (0, 1),
    'sereno_rabbitmq_queue_dead_letter_targets{target="shop", vhost="/", queue="orders"}': (0, 0),
    'sereno_rabbitmq_alarm{target="shop", node="rabbit@one", alarm="memory"}': (1, 0),
    'sereno_redis_queues_list_entries{target="shop", list="mails"}': (9, 1),
    'sereno_sqs_queue_in_flight_messages{target="shop", queue="orders"}': (9, 0),
    'sereno_redis_queues_group_lag_entries{target="shop", stream="events", group="mails"}': (9, 1),
    'sereno_redis_queues_group_oldest_waiting_age_seconds{target="shop", stream="events", group="mails"}': (900, 60),
    'sereno_redis_queues_group_oldest_pending_age_seconds{target="shop", stream="events", group="mails"}': (4000, 60),
    'sereno_redis_queues_group_read_total{target="shop", stream="events", group="mails"}': (0, 5),
    'sereno_sql_up{target="shop"}': (0, 0),
    'sereno_sql_part_up{target="shop", part="query_orders"}': (0, 0),
    'sereno_sql_connections{target="shop", database="shop", state="idle"}': (90, 0),
    'sereno_sql_connections_limit{target="shop"}': (97, 0),
    'sereno_sql_oldest_transaction_age_seconds{target="shop"}': (4000, 60),
    'sereno_sql_etl_rows_rejected_total{target="shop", pipeline="orders", stage="load"}': (0, 5),
    'sereno_sql_etl_rows_in_total{target="shop", pipeline="orders", stage="load"}': (0, 50),
    'sereno_sql_etl_rows_out_total{target="shop", pipeline="orders", stage="load"}': (0, 45),
    'sereno_quotas_used_ratio{target="cache", quota="commands"}': (0.6, 0.001),
    'sereno_quotas_used{target="cache", quota="commands"}': (300_000, 500),
    'sereno_quotas_runs_out_timestamp_seconds{target="cache", quota="commands"}': (NOW + 400_000, 0),
    'sereno_quotas_period_end_timestamp_seconds{target="cache", quota="commands"}': (NOW + 900_000, 0),
    'sereno_quotas_part_up{target="cache", part="quota_commands"}': (0, 0),
    'sereno:quota_at_period_end:ratio{target="cache", quota="commands"}': (1.4, 0),
    'sereno:quota_at_period_end:least_ratio{target="cache", quota="commands"}': (1.1, 0),
    'sereno_aws_part_up{target="shop", part="lambda"}': (0, 0),
    'sereno_aws_budget_used_ratio{target="shop", budget="metrics"}': (1, 0),
    'sereno_aws_api_calls_total{target="shop", api="GetMetricData", outcome="throttled"}': (0, 1),
    'sereno_aws_lambda_errors_total{target="shop", function_name="worker"}': (0, 10),
    'sereno_aws_lambda_invocations_total{target="shop", function_name="worker"}': (0, 100),
    'sereno_aws_lambda_throttles_total{target="shop", function_name="worker"}': (0, 10),
    'sereno_aws_lambda_duration_seconds_total{target="shop", function_name="worker"}': (0, 30),
    'sereno_aws_lambda_duration_max_seconds{target="shop", function_name="worker"}': (30, 0),
    'sereno_aws_lambda_concurrent_executions{target="shop", function_name="worker"}': (100, 0),
    'sereno_aws_sns_notifications_failed_total{target="shop", topic_name="orders"}': (0, 1),
    'sereno_aws_aurora_replica_lag_seconds{target="shop", db_instance="shop-2"}': (5, 0),
    'sereno_aws_aurora_cpu_used_ratio{target="shop", db_instance="shop-2"}': (0.9, 0),
    'sereno_aws_aurora_freeable_memory_bytes{target="shop", db_instance="shop-2"}': (1e8, 0),
    'sereno_aws_aurora_connections{target="shop", db_instance="shop-2"}': (900, 0),
    'prometheus_rule_evaluation_failures_total{job="prometheus", instance="p1", rule_group="a;b"}': (0, 1),
    'prometheus_rule_group_last_duration_seconds{job="prometheus", instance="p1", rule_group="a;b"}': (1, 0),
    'prometheus_rule_group_interval_seconds{job="prometheus", instance="p1", rule_group="a;b"}': (60, 0),
    'prometheus_rule_group_last_evaluation_timestamp_seconds{job="prometheus", rule_group="a;b"}': (NOW - 1200, 60),
    'prometheus_notifications_dropped_total{job="prometheus", instance="p1"}': (0, 1),
    'prometheus_notifications_errors_total{job="prometheus", instance="p1", alertmanager="http://a1"}': (0, 1),
    'prometheus_notifications_alertmanagers_discovered{job="prometheus", instance="p1"}': (1, 0),
    'prometheus_notifications_queue_length{job="prometheus", instance="p1"}': (9, 0),
    'prometheus_notifications_queue_capacity{job="prometheus", instance="p1"}': (10_000, 0),
    'alertmanager_notifications_failed_total{job="alertmanager", instance="a1", integration="webhook"}': (0, 1),
    'alertmanager_notifications_total{job="alertmanager", instance="a1", integration="webhook"}': (0, 2),
    'up{job="prometheus", instance="p1"}': (1, 0),
    'up{job="JOB", instance="s2"}': (0, 0),
    'scrape_duration_seconds{job="JOB", instance="s2"}': (10, 0),
    'process_start_time_seconds{job="prometheus", instance="p1"}': (NOW - 1200, 60),
    'prometheus_config_last_reload_successful{job="prometheus", instance="p1"}': (0, 0),
    'prometheus_config_last_reload_success_timestamp_seconds{job="prometheus", instance="p1"}': (NOW - 7200, 0),
    'prometheus_rule_group_iterations_missed_total{job="prometheus", instance="p1", rule_group="a;b"}': (0, 1),
    'prometheus_engine_queries{job="prometheus", instance="p1"}': (18, 0),
    'prometheus_engine_queries_concurrent_max{job="prometheus", instance="p1"}': (20, 0),
    'prometheus_target_scrapes_sample_duplicate_timestamp_total{job="prometheus", instance="p1"}': (0, 3),
    'prometheus_target_scrapes_sample_out_of_order_total{job="prometheus", instance="p1"}': (0, 0),
    'prometheus_target_scrapes_sample_out_of_bounds_total{job="prometheus", instance="p1"}': (0, 0),
    'prometheus_tsdb_head_series{job="prometheus", instance="p1"}': (500_000, 1000),
    'prometheus_tsdb_head_max_time_seconds{job="prometheus", instance="p1"}': (NOW - 1200, 60),
    'prometheus_tsdb_head_min_time_seconds{job="prometheus", instance="p1"}': (NOW - 30_000, 0),
    'prometheus_tsdb_storage_blocks_bytes{job="prometheus", instance="p1"}': (1e10, 0),
    'prometheus_tsdb_wal_corruptions_total{job="prometheus", instance="p1"}': (1, 0),
    'prometheus_tsdb_mmap_chunk_corruptions_total{job="prometheus", instance="p1"}': (0, 0),
    f"prometheus_remote_storage_queue_highest_sent_timestamp_seconds{{{REMOTE}}}": (NOW - 2400, 0),
    f"prometheus_remote_storage_samples_pending{{{REMOTE}}}": (9000, 100),
    f"prometheus_remote_storage_samples_retried_total{{{REMOTE}}}": (0, 100),
    f"prometheus_remote_storage_samples_failed_total{{{REMOTE}}}": (0, 10),
    f"prometheus_remote_storage_samples_total{{{REMOTE}}}": (0, 100),
    f"prometheus_remote_storage_shards_desired{{{REMOTE}}}": (300, 0),
    f"prometheus_remote_storage_shards_max{{{REMOTE}}}": (200, 0),
    'alertmanager_config_last_reload_successful{job="alertmanager", instance="a1"}': (0, 0),
    'alertmanager_config_last_reload_success_timestamp_seconds{job="alertmanager", instance="a1"}': (NOW - 7200, 0),
    'alertmanager_config_hash{job="alertmanager", instance="a1"}': (11, 0),
    'alertmanager_cluster_members{job="alertmanager", instance="a1"}': (1, 0),
    'alertmanager_cluster_messages_queued{job="alertmanager", instance="a1"}': (0, 0),
    'alertmanager_cluster_reconnections_failed_total{job="alertmanager", instance="a1"}': (0, 1),
    'sereno_incident_store_up{job="sereno-incidents", instance="i1"}': (0, 0),
    'sereno_incident_webhook_deliveries_total{job="sereno-incidents", instance="i1", outcome="unavailable"}': (0, 1),
    'sereno_incident_watchdog_last_received_timestamp_seconds{job="sereno-incidents", instance="i1"}': (NOW - 1200, 0),
}


def history() -> Iterator[HistorySample]:
    """A sample a minute of every series of the incident, up to NOW, and of all SLOs of this repository."""
    for series, (start, growth) in INCIDENT.items():
        name, _, rest = series.partition("{")
        labels = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        for minute in range(MINUTES + 1):
            yield HistorySample(name, labels, NOW - 60 * (MINUTES - minute), start + growth * minute)
    of_slo = {series.partition("{")[0]: values for series, values in INCIDENT.items() if f"{{{SLO}}}" in series}
    yield from slo_incident(of_slo, NOW)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """A Prometheus that holds the incident."""
    with running_prometheus(tmp_path_factory.mktemp("incident"), history=history()) as server:
        yield server


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """One connection for hundreds of questions."""
    with httpx.Client(timeout=10, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", ASKED, ids=lambda path: str(path.relative_to(ROOT / "runbooks").with_suffix("")))
def test_queries_answer_in_an_incident(prometheus: RunningProcess, client: httpx.Client, path: Path) -> None:
    """Copied as it stands, each query is accepted and shows numbers; only a marked one may show nothing."""
    assert failures(client, prometheus.url, path, NOW) == []


def test_a_query_that_answers_nothing_must_say_so(
    prometheus: RunningProcess, client: httpx.Client, tmp_path: Path
) -> None:
    """The mark excuses an empty answer, and nothing else."""
    runbook = tmp_path / "A.md"
    texts = ["", " may-be-empty"]
    runbook.write_text("".join(f"```promql{mark}\nnowhere\n```\n```promql{mark}\n1 +\n```\n" for mark in texts))
    found = failures(client, prometheus.url, runbook, NOW)
    assert [each.split(":")[0] for each in found] == ["line 1", "line 4", "line 10"]
    assert "nothing: nowhere" in found[0]
