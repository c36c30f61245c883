"""What etl's batches and messages add up to."""

import pika  # type: ignore[import-untyped]

from support.etl_system import Pipeline


def balance(pipeline: Pipeline) -> tuple[int, int, int, int]:
    """Rows that were extracted, transformed, rejected and loaded, as the batches say it."""
    extracted, transformed, rejected, loaded = pipeline.rows(
        "SELECT sum(extracted), sum(transformed), sum(rejected), sum(loaded) FROM etl.batches"
    )[0]
    return int(extracted), int(transformed), int(rejected), int(loaded)


def counted(pipeline: Pipeline) -> tuple[float, ...]:
    """The same by the metrics of transform and load, since these processes began."""
    rows = {"job_name": "transform", "stage": "transform"}
    transform = [
        pipeline["transform"].metric("job_rows_total", direction=direction, **rows)
        for direction in ("in", "out", "rejected")
    ]
    return (*transform, pipeline["load"].metric("job_rows_total", direction="out", job_name="load"))


def assert_balanced(pipeline: Pipeline) -> None:
    """Rows in are rows out, in each stage, in the table and in the sums that the exporter reads."""
    extracted, transformed, rejected, loaded = balance(pipeline)
    assert extracted > 0
    assert extracted == transformed + rejected
    assert transformed == loaded
    assert pipeline.value("SELECT count(*) FROM orders") == loaded
    assert pipeline.value("SELECT count(*) FROM etl.rejected_rows") == rejected
    stages = pipeline.rows("SELECT stage, rows_in, rows_out, rows_rejected FROM etl.stages ORDER BY stage")
    assert stages == [
        ("extract", extracted, extracted, 0),
        ("load", transformed, loaded, 0),
        ("transform", extracted, transformed, rejected),
    ]


def publish(pipeline: Pipeline, queue: str, *bodies: bytes) -> None:
    """Put messages on a queue, past the doors."""
    connection = pika.BlockingConnection(pika.URLParameters(pipeline.broker.url))
    channel = connection.channel()
    channel.confirm_delivery()
    for body in bodies:
        channel.basic_publish("", queue, body, mandatory=True)
    connection.close()


def waiting(pipeline: Pipeline, queue: str) -> int:
    """How many messages wait on a queue."""
    connection = pika.BlockingConnection(pika.URLParameters(pipeline.broker.url))
    count = connection.channel().queue_declare(queue, passive=True).method.message_count
    connection.close()
    return int(count)
