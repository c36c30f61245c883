"""Sereno's exporters beside this system: their configuration is right, and they read what is really there."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.ports import free_port
from support.postgresql import marked
from support.waiting import wait_for

pytestmark = marked


@contextmanager
def exporters(environment: dict[str, str]) -> Iterator[Callable[[], dict[str, float]]]:
    """Running ones; what a scrape has, by name and the labels that tell resources apart."""
    port = free_port()
    command = [sys.executable, "-m", "transactions_api.exporters"]
    environment |= {"TRANSACTIONS_EXPORTERS_PORT": str(port)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:

        def scrape() -> dict[str, float]:
            assert process.poll() is None
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=15)
            except httpx.TransportError:
                return {}
            told = ("queue", "function_name", "table", "part")
            return {
                " ".join([sample.name, *(sample.labels[name] for name in told if name in sample.labels)]): sample.value
                for family in text_string_to_metric_families(answer.text)
                for sample in family.samples
            }

        try:
            wait_for(scrape, what="the exporters to answer")
            yield scrape
        finally:
            process.terminate()
            process.wait(10)


def failing(seen: dict[str, float]) -> list[str]:
    """Parts that can't be read; also where there are none yet."""
    parts = {name: value for name, value in seen.items() if "_part_up " in name}
    return [name for name, value in parts.items() if value != 1.0] or ([] if parts else ["no part"])


@pytest.fixture
def environment(
    full_system: Any, moto: str, tmp_path: Path, child_environment: Callable[..., dict[str, str]]
) -> dict[str, str]:
    """Of exporters beside the full system, whose function is called `read`."""
    return child_environment(
        TRANSACTIONS_DATABASE_URL=full_system.database_url,
        TRANSACTIONS_SNS_TOPIC=full_system.topic,
        TRANSACTIONS_AWS_ENDPOINT_URL=moto,
        TRANSACTIONS_FUNCTION_NAME="read",
        TRANSACTIONS_EXPORTERS_FOLDER=str(tmp_path / "exporters"),
        AWS_DEFAULT_REGION="eu-west-1",
        AWS_ACCESS_KEY_ID="nobody",
        AWS_SECRET_ACCESS_KEY="nothing",  # noqa: S106
    )


def test_statements_are_counted_even_if_the_exporters_are_the_first_program(
    full_system: Any, environment: dict[str, str]
) -> None:
    """The programs start together: nobody may have made the database yet."""
    with exporters(environment), psycopg.connect(full_system.database_url) as connection:
        assert connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'").fetchone()


def test_database_queue_and_function_are_read(full_system: Any, environment: dict[str, str], tmp_path: Path) -> None:
    """Rows and sizes of the table, what waits on the queue, the function: with no part failing."""
    api, subscriber = full_system.api(), full_system.subscriber(TRANSACTIONS_FUNCTION_NAME="read")
    api.post(1)
    wait_for(lambda: api.metric("transactions_stored_total") == 1, what="it to be stored")
    subscriber.fault("subscriber-stuck")
    for amount in (2, 3, 4):
        api.post(amount)
    with exporters(environment) as scrape:
        # The first look may come before the server has been asked for everything.
        wait_for(lambda: not failing(scrape()), what="every part to be read")
        seen = scrape()
    assert failing(seen) == []
    assert sum("_part_up " in name for name in seen) >= 6
    queue = f"{full_system.topic}-subscriber"
    assert (
        seen[f"sereno_sqs_queue_visible_messages {queue}"] + seen[f"sereno_sqs_queue_in_flight_messages {queue}"] >= 3
    )
    assert seen["sereno_aws_lambda_invocations_total read"] >= 0
    assert seen["sereno_sql_table_size_bytes public.transactions"] > 0
    assert (tmp_path / "exporters" / "password").stat().st_mode & 0o077 == 0
    assert (tmp_path / "exporters" / "aws.sqlite").stat().st_size > 0
