"""Nothing is lost or doubled, whatever dies or hangs meanwhile; on real servers."""

import gzip
import signal
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import pytest
from etl.model import DEAD_LETTERS, LOAD_QUEUE, TRANSFORM_QUEUE, Batch, Order, batch_message, rows_message
from support.etl_balance import assert_balanced, publish, waiting
from support.etl_system import UNTOLD, Pipeline
from support.postgresql import marked as postgresql_marked
from support.rabbitmq import marked as rabbitmq_marked
from support.waiting import wait_for

pytestmark = [postgresql_marked[0], rabbitmq_marked[0], pytest.mark.xdist_group("rabbitmq")]


def test_nothing_is_lost_or_doubled_when_load_is_killed(pipeline: Pipeline) -> None:
    """Killed in the middle of batches, twice: the table comes to hold each row once."""
    pipeline["load"].fault("slow", seconds=0.5, ratio=1.0)
    for _ in range(2):
        pipeline.more_batches()
        wait_for(
            lambda: pipeline["load"].metric("job_running", job_name="load") == 1,
            what="load is in the middle of a batch",
        )
        pipeline["load"].kill()
        pipeline["load"].start()
        pipeline["load"].fault("slow", seconds=0.5, ratio=1.0)
    wait_for(lambda: pipeline["load"].metric("messaging_redeliveries_total") > 0, what="a batch comes again")
    pipeline["load"].no_fault("slow")
    with pipeline.at_rest():
        assert_balanced(pipeline)


def test_nothing_is_lost_or_doubled_when_extract_and_transform_are_killed(pipeline: Pipeline) -> None:
    """Wherever they were: between object, ledger and message."""
    for _ in range(2):
        pipeline.more_batches()
        for name in ("extract", "transform"):
            pipeline[name].kill()
            pipeline[name].begin()
        for name in ("extract", "transform"):
            pipeline[name].wait()
    pipeline.more_batches(2)
    with pipeline.at_rest():
        assert_balanced(pipeline)
        assert pipeline.value("SELECT count(*) FROM etl.batches WHERE loaded_at IS NULL") == 0


def test_what_is_loaded_needs_no_telling(pipeline: Pipeline) -> None:
    """Extract may be killed after it told of a batch and before it wrote that down; the batch isn't told of again."""
    ((forgotten,),) = pipeline.rows(
        "UPDATE etl.batches SET published_at = NULL WHERE batch_id ="
        " (SELECT batch_id FROM etl.batches WHERE loaded_at IS NOT NULL ORDER BY batch_id DESC LIMIT 1)"
        " RETURNING batch_id"
    )
    pipeline.more_batches(2)
    with pipeline.at_rest():
        assert_balanced(pipeline)
        told = pipeline.rows("SELECT batch_id FROM etl.batches WHERE published_at IS NULL AND loaded_at IS NOT NULL")
        assert (forgotten,) in told


def test_without_the_broker_extraction_goes_on_and_all_is_loaded_later(pipeline: Pipeline) -> None:
    """Batches wait in the ledger, the reason is in the log, and no program has to be started anew."""
    pipeline.more_batches()
    pipeline.broker_door.close()
    try:
        wait_for(lambda: pipeline.value(UNTOLD) >= 2, what="batches wait")
        wait_for(
            lambda: any("rabbitmq can't be used" in text for text in pipeline["transform"].messages("error")),
            what="transform says so",
        )
        assert pipeline["extract"].metric("etl_connection_errors_total", server="rabbitmq") > 0
    finally:
        pipeline.broker_door.open()
    wait_for(lambda: pipeline.value(UNTOLD) == 0, what="transform is told")
    with pipeline.at_rest():
        assert_balanced(pipeline)


@pytest.mark.parametrize(
    ("fault", "parameters"), [("shared-key", {"per_minute": 1_000_000}), ("errors", {"ratio": 1.0})]
)
def test_what_the_ledger_knows_is_told_though_the_shop_fails(
    pipeline: Pipeline, fault: str, parameters: dict[str, float]
) -> None:
    """Batches that transform wasn't told of are told by the next run, whether that fetches anything or not."""
    pipeline.more_batches()
    extract = pipeline["extract"]
    pipeline.broker_door.close()
    try:
        wait_for(lambda: pipeline.value(UNTOLD) >= 1, what="a batch waits")
        pipeline["upstream"].fault(fault, **parameters)
        failed = extract.metric("job_runs_total", outcome="failed")
        wait_for(lambda: extract.metric("job_runs_total", outcome="failed") > failed, what="the shop fails")
        assert pipeline.value(UNTOLD) >= 1
        pipeline.broker_door.open()
        wait_for(lambda: pipeline.value(UNTOLD) == 0, what="transform is told")
        failed = extract.metric("job_runs_total", outcome="failed")
        wait_for(lambda: extract.metric("job_runs_total", outcome="failed") > failed, what="the shop fails still")
    finally:
        pipeline["upstream"].no_fault(fault)
        pipeline.broker_door.close()
        pipeline.broker_door.open()
    pipeline.more_batches()
    with pipeline.at_rest():
        assert_balanced(pipeline)


def test_without_the_database_nothing_is_lost_and_everybody_is_told(pipeline: Pipeline) -> None:
    """The API answers 503 at once; when the database is back, everything goes on by itself."""
    pipeline.more_batches()
    pipeline.database_door.close()
    try:
        answer = wait_for(
            lambda: refused if (refused := pipeline.get("/totals")).status_code == 503 else None, what="503 is answered"
        )
        assert answer.headers["retry-after"] == "5"
        failed = {"outcome": "failed"}
        for program in (pipeline["api"], pipeline["extract"]):
            wait_for(
                partial(program.metric, "etl_database_transactions_total", **failed), what=f"{program.name} counts it"
            )
    finally:
        pipeline.database_door.open()
    pipeline.more_batches(2)
    assert pipeline.get("/totals").status_code == 200
    with pipeline.at_rest():
        assert_balanced(pipeline)
        wait_for(
            lambda: pipeline["transform"].metric("etl_connections_open", server="postgresql") <= 1,
            what="broken connections are closed",
        )


def test_a_database_that_hangs_is_hung_up(pipeline: Pipeline) -> None:
    """It takes connections and answers nothing: the API answers 503 within seconds, and later works again."""
    assert pipeline.get("/totals").status_code == 200
    door = pipeline.database_door.process
    assert door is not None
    door.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert pipeline.get("/totals").status_code == 503
        assert time.monotonic() - began < 6
    finally:
        door.send_signal(signal.SIGCONT)
    wait_for(lambda: pipeline.get("/totals").status_code == 200, what="the API works again")
    pipeline.more_batches()


def test_rows_whose_raw_file_is_gone_are_accounted_for(pipeline: Pipeline) -> None:
    """S3 has lost an object before transform read it: its rows are rejected for that, and the next ones go on."""
    pipeline["transform"].process.send_signal(signal.SIGSTOP)
    new = "SELECT object_key FROM etl.batches WHERE transformed_at IS NULL AND published_at IS NOT NULL"
    try:
        keys = wait_for(lambda: pipeline.rows(new), what="a batch waits for transform")
        for (key,) in keys:
            pipeline.objects.delete_object(Bucket=pipeline.bucket, Key=key)
    finally:
        pipeline["transform"].process.send_signal(signal.SIGCONT)
    pipeline.more_batches(2)
    with pipeline.at_rest():
        assert_balanced(pipeline)
        lost = pipeline.rows("SELECT batch_id, reason FROM etl.rejected_rows WHERE reason = 'raw object missing'")
        assert {batch_id for batch_id, _ in lost} & {key.removeprefix("raw/").partition(".")[0] for (key,) in keys}
        assert any("are gone: its" in text for text in pipeline["transform"].messages("error"))


def test_what_is_no_message_becomes_a_dead_letter(pipeline: Pipeline) -> None:
    """It holds nobody up, and waits where somebody can look at it."""
    dead = waiting(pipeline, DEAD_LETTERS)
    rejected = {"messaging_destination_name": TRANSFORM_QUEUE, "outcome": "rejected"}
    before = pipeline["transform"].metric("messaging_processed_messages_total", **rejected)
    unknown = batch_message(Batch("orders-unknown", "raw/unknown", 3))
    publish(pipeline, TRANSFORM_QUEUE, b"nonsense", unknown)
    publish(pipeline, LOAD_QUEUE, b"{}")
    wait_for(lambda: waiting(pipeline, DEAD_LETTERS) == dead + 3, what="three dead letters")
    assert pipeline["transform"].metric("messaging_processed_messages_total", **rejected) == before + 2
    pipeline.more_batches()


@pytest.mark.parametrize(
    "wrong",
    [{"customer": "C-\ud800"}, {"customer": "C-\0"}, {"amount_cents": 2**63}],
    ids=["half a character", "NUL", "too large"],
)
def test_a_batch_that_the_database_refuses_holds_nobody_up(pipeline: Pipeline, wrong: dict[str, Any]) -> None:
    """It becomes a dead letter, counted and logged; the next ones are loaded, and so is it, once it is put right."""
    order = Order(1, "C-1", 100, "EUR", "CO", datetime(2026, 1, 1, tzinfo=UTC))
    batch_id = f"orders-refused-{uuid.uuid4().hex}"
    load, dead = pipeline["load"], waiting(pipeline, DEAD_LETTERS)
    refused = load.metric("etl_rows_refused_total")
    _extracted_and_transformed(pipeline, batch_id)
    try:
        publish(pipeline, LOAD_QUEUE, rows_message(batch_id, [replace(order, **wrong)]))
        wait_for(lambda: waiting(pipeline, DEAD_LETTERS) == dead + 1, what="it is a dead letter")
        pipeline.more_batches()
        assert load.metric("etl_rows_refused_total") == refused + 1
        assert any(f"the 1 rows of {batch_id} are not loaded: " in text for text in load.messages("error"))
    finally:
        publish(pipeline, LOAD_QUEUE, rows_message(batch_id, [replace(order, order_id=uuid.uuid4().int >> 65)]))
    with pipeline.at_rest():
        assert_balanced(pipeline)


def _extracted_and_transformed(pipeline: Pipeline, batch_id: str) -> None:
    """A batch of one row, which load is to be told of."""
    with psycopg.connect(pipeline.database_url) as connection:
        connection.execute(
            "INSERT INTO etl.batches (batch_id, object_key, extracted, published_at, transformed, rejected, "
            "transformed_at) VALUES (%s, 'raw/none', 1, now(), 1, 0, now())",
            (batch_id,),
        )
        connection.execute("UPDATE etl.stages SET rows_in = rows_in + 1, rows_out = rows_out + 1 WHERE stage <> 'load'")


def test_figures_that_the_ledger_contradicts_hold_nobody_up(pipeline: Pipeline) -> None:
    """A raw file with other rows than were extracted: transform tells it by a dead letter, and goes on."""
    key, batch_id, dead = "raw/zzz", f"orders-other-{uuid.uuid4().hex}", waiting(pipeline, DEAD_LETTERS)
    pipeline.objects.put_object(Bucket=pipeline.bucket, Key=key, Body=gzip.compress(b"{}\n{}\n{}"))
    insert = "INSERT INTO etl.batches (batch_id, object_key, extracted, published_at) VALUES (%s, %s, 1, now())"
    with psycopg.connect(pipeline.database_url, autocommit=True) as connection:
        connection.execute(insert, (batch_id, key))
        try:
            publish(pipeline, TRANSFORM_QUEUE, batch_message(Batch(batch_id, key, 1)))
            wait_for(lambda: waiting(pipeline, DEAD_LETTERS) == dead + 1, what="it is a dead letter")
            assert any(f"{batch_id} is not transformed: " in text for text in pipeline["transform"].messages("error"))
            pipeline.more_batches()
        finally:
            connection.execute("DELETE FROM etl.batches WHERE batch_id = %s", (batch_id,))
