"""The whole pipeline on real servers: what goes in comes out, once."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from etl.exporters import write_configuration
from etl.model import DEAD_LETTERS, LOAD_QUEUE, TRANSFORM_QUEUE, Batch, batch_message, rows_message
from etl.settings import Settings
from prometheus_client.parser import text_string_to_metric_families
from support.etl_balance import assert_balanced, balance, counted, publish, waiting
from support.etl_system import Pipeline
from support.postgresql import marked as postgresql_marked
from support.rabbitmq import marked as rabbitmq_marked
from support.waiting import wait_for

pytestmark = [postgresql_marked[0], rabbitmq_marked[0], pytest.mark.xdist_group("rabbitmq")]


def test_what_the_shop_sells_is_in_the_table(pipeline: Pipeline) -> None:
    """Rows come by themselves, can be read, and everything adds up: ledger, table, metrics."""
    with pipeline.at_rest():
        before, counted_before = balance(pipeline), counted(pipeline)  # programs were started anew meanwhile, perhaps
    late = pipeline["extract"].metric("etl_rows_late_total")
    pipeline.more_batches(2)
    orders = pipeline.get("/orders?limit=5").json()
    assert len(orders) == 5
    assert orders == sorted(orders, key=lambda order: datetime.fromisoformat(order["ordered_at"]), reverse=True)
    assert pipeline.get(f"/orders/{orders[0]['order_id']}").json() == orders[0]
    assert pipeline.get("/orders/1").status_code == 404
    assert {total["currency"] for total in pipeline.get("/totals").json()} == {"COP", "EUR", "USD"}
    with pipeline.at_rest():
        assert_balanced(pipeline)
        ledger = [after - then for after, then in zip(balance(pipeline), before, strict=True)]
        metrics = [after - then for after, then in zip(counted(pipeline), counted_before, strict=True)]
        assert metrics == ledger
        batch = pipeline.get("/batches?limit=1").json()[0]
        assert batch["extracted"] == batch["transformed"] + batch["rejected"]
        assert batch["transformed"] == batch["loaded"]
    assert pipeline["extract"].metric("etl_rows_late_total") == late


def test_the_exporter_tells_the_balance(pipeline: Pipeline, tmp_path: Path) -> None:
    """`sereno exporter sql` reads freshness, totals, and rows in and out of each stage from the ledger's own tables."""
    written = write_configuration(Settings(1, 2, database_url=pipeline.database_url, exporters_folder=tmp_path))
    command = [sys.executable, "-m", "sereno_cli", "exporter", "sql", "--once", "--config", str(written)]
    with pipeline.at_rest():
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        extracted, transformed, rejected, loaded = balance(pipeline)
    assert done.returncode == 0, done.stderr
    figures = {
        (sample.name, sample.labels.get("stage") or sample.labels.get("table")): sample.value
        for family in text_string_to_metric_families(done.stdout)
        for sample in family.samples
    }
    rows = "sereno_sql_etl_rows"
    assert [figures[f"{rows}_{way}_total", "extract"] for way in ("in", "out")] == [extracted, extracted]
    ways = ("in", "out", "rejected")
    assert [figures[f"{rows}_{way}_total", "transform"] for way in ways] == [extracted, transformed, rejected]
    assert [figures[f"{rows}_{way}_total", "load"] for way in ("in", "out")] == [transformed, loaded]
    assert figures["sereno_sql_table_rows", "public.orders"] == loaded
    assert figures["sereno_sql_table_rows", "etl.rejected_rows"] == rejected
    assert 0 < figures["sereno_sql_table_age_seconds", "public.orders"] < 120
    assert figures["sereno_sql_query_etl_unexplained_rows", None] == 0


def by_reason(pipeline: Pipeline) -> dict[str, int]:
    """Rejected rows that are kept."""
    return dict(pipeline.rows("SELECT reason, count(*) FROM etl.rejected_rows GROUP BY reason"))


def _rejected(pipeline: Pipeline, reason: str) -> float:
    return pipeline["transform"].metric("etl_rows_rejected_total", reason=reason)


def test_rejected_rows_are_kept_with_their_reasons(pipeline: Pipeline) -> None:
    """Of what the shop tells wrong every row is counted, named and kept; the others are loaded."""
    with pipeline.at_rest():
        before, named_before = balance(pipeline)[2], by_reason(pipeline)
        told = {reason: _rejected(pipeline, reason) for reason in named_before}
        known = int(pipeline.value("SELECT count(*) FROM etl.batches"))
    pipeline["upstream"].fault("garbage-rows", ratio=0.5)
    pipeline.more_batches(2)
    pipeline["upstream"].no_fault("garbage-rows")
    with pipeline.at_rest():
        assert_balanced(pipeline)
        rejected = balance(pipeline)[2]
        assert rejected > before
        named = by_reason(pipeline)
        assert len(named) > 2
        for reason, count in named.items():
            new = count - named_before.get(reason, 0)
            assert _rejected(pipeline, reason) - told.get(reason, 0) == new
        batch_id, count = pipeline.rows(
            f"SELECT * FROM (SELECT batch_id, rejected FROM etl.batches ORDER BY extracted_at OFFSET {known}) AS new "  # noqa: S608
            "ORDER BY rejected DESC LIMIT 1"
        )[0]
        kept = pipeline.get(f"/batches/{batch_id}/rejected").json()
        assert len(kept) == count
        assert all(row["reason"] and row["raw"] for row in kept)
        assert any(f"rows of {batch_id} were rejected: " in text for text in pipeline["transform"].messages("warning"))


def test_a_batch_that_is_delivered_twice_is_stored_once(pipeline: Pipeline) -> None:
    """Neither transform nor load counts or writes it again, and nothing becomes a dead letter."""
    with pipeline.at_rest():
        before, dead = balance(pipeline), waiting(pipeline, DEAD_LETTERS)
        twice = pipeline["load"].metric("etl_batches_delivered_twice_total")
        batch = Batch(*pipeline.rows("SELECT batch_id, object_key, extracted FROM etl.batches LIMIT 1")[0])
        publish(pipeline, TRANSFORM_QUEUE, batch_message(batch), batch_message(batch))
        publish(pipeline, LOAD_QUEUE, rows_message(batch.batch_id, []))
        wait_for(
            lambda: pipeline["load"].metric("etl_batches_delivered_twice_total") == twice + 3,
            what="load has seen it three times",
        )
        assert balance(pipeline) == before
        assert_balanced(pipeline)
        assert waiting(pipeline, DEAD_LETTERS) == dead


def test_used_up_requests_end_runs_until_there_are_some_again(pipeline: Pipeline) -> None:
    """The shop isn't asked for pages meanwhile, runs fail visibly, and the next ones catch up."""
    pipeline["upstream"].fault("shared-key", per_minute=1_000_000)
    extract = pipeline["extract"]
    wait_for(lambda: extract.metric("job_runs_total", outcome="failed") >= 2, what="runs fail")
    assert extract.metric("etl_upstream_requests_remaining") == 0
    refused = {"http_route": "/orders", "http_response_status_code": "429"}
    count = "http_server_request_duration_seconds_count"
    asked = pipeline["upstream"].metric(count, **refused)
    failed = extract.metric("job_runs_total", outcome="failed")
    wait_for(lambda: extract.metric("job_runs_total", outcome="failed") > failed, what="another run fails")
    assert pipeline["upstream"].metric(count, **refused) == asked
    pipeline["upstream"].no_fault("shared-key")
    pipeline.more_batches()
    assert extract.metric("etl_upstream_requests_remaining") > 0
    assert extract.metric("etl_upstream_requests_limit") == 3600


def test_connections_that_a_batch_leaves_open_are_found_and_closed(pipeline: Pipeline) -> None:
    """While the fault is on each batch leaves one; the log says so, and none stays."""
    transform = pipeline["transform"]
    transform.fault("connection-left-open")
    left = "1 connections to PostgreSQL were not closed by their batch; they are closed now"
    wait_for(lambda: transform.messages("error").count(left) >= 2, what="two were found")
    transform.no_fault("connection-left-open")
    assert transform.metric("etl_connection_errors_total", error="left_open") >= 2
    wait_for(lambda: transform.metric("etl_connections_open", server="postgresql") <= 1, what="they are closed")


def test_a_run_can_be_asked_for(pipeline: Pipeline) -> None:
    """By HTTP, through extract; while extract is down the API says 503 and goes on answering everything else."""
    assert httpx.post(f"{pipeline['api'].url}/runs").status_code == 201
    pipeline["extract"].kill()
    assert httpx.post(f"{pipeline['api'].url}/runs").status_code == 503
    assert pipeline.get("/orders").status_code == 200
    assert pipeline["api"].metric("etl_connection_errors_total", server="extract", error="ConnectError") == 1
    pipeline["extract"].start()


def test_every_program_ends_within_two_seconds(pipeline: Pipeline) -> None:
    """SIGTERM, in the middle of work: a deployment waits for nobody, and the next program takes over."""
    for program in pipeline.programs.values():
        assert program.stop() < 3.0, program.name
    for program in pipeline.programs.values():
        program.begin()
    for program in pipeline.programs.values():
        program.wait()
    pipeline.more_batches()
