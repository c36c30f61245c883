"""A real Prometheus scrapes the service: what it stores is what happened, exemplars included."""

import time
from pathlib import Path
from typing import Any

import httpx
from support.prometheus import running_prometheus
from support.waiting import wait_for

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: transactions-api
    static_configs: [{{targets: ["{target}"]}}]
"""


def test_prometheus_stores_what_the_service_counted(service: Any, tmp_path: Path) -> None:
    """Counters, the age of the process and the trace of a failed request are there under the agreed names."""
    service.fault("errors")
    for _ in range(4):
        service.get()
    failures = service.lines(log__level="error")
    config = CONFIG.format(target=service.url.removeprefix("http://"))
    flags = ["--enable-feature=exemplar-storage"]
    with running_prometheus(tmp_path / "prometheus", config=config, flags=flags) as prometheus:

        def query(expression: str) -> list[Any]:
            answer = httpx.get(f"{prometheus.url}/api/v1/query", params={"query": expression}).raise_for_status()
            samples: list[Any] = answer.json()["data"]["result"]
            return samples

        count = 'http_server_request_duration_seconds_count{http_response_status_code="500"}'
        (sample,) = wait_for(lambda: query(count), what="the failures to be scraped")
        assert sample["value"][1] == "4"
        assert sample["metric"]["http_route"] == "/transactions"
        assert sample["metric"]["http_request_method"] == "GET"
        assert query("up")[0]["value"][1] == "1"
        assert float(query("time() - process_start_time_seconds")[0]["value"][1]) < 900
        assert query("transactions_published_total")[0]["value"][1] == "0"
        window = {"start": str(time.time() - 60), "end": str(time.time() + 60)}
        bucket = 'http_server_request_duration_seconds_bucket{http_response_status_code="500"}'
        answer = httpx.get(f"{prometheus.url}/api/v1/query_exemplars", params={"query": bucket, **window})
        exemplars = [each for series in answer.json()["data"] for each in series["exemplars"]]
    assert exemplars
    assert {each["labels"]["trace_id"] for each in exemplars} <= {line["trace.id"] for line in failures}
