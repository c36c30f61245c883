"""Places of their own for the tests of devops-events."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from support.devops_events_system import Places, made_places
from support.postgresql import PostgresqlServer, postgresql
from support.rabbitmq_management import ManagedBroker, managed_rabbitmq
from support.redis import redis_port

__all__ = ["managed_rabbitmq", "postgresql", "redis_port"]


@pytest.fixture
def places(
    tmp_path: Path, postgresql: PostgresqlServer, managed_rabbitmq: ManagedBroker, redis_port: int
) -> Iterator[Places]:
    """A virtual host, a database and an empty Redis."""
    with Redis(port=redis_port) as client:
        client.flushall()
    with made_places(tmp_path, postgresql, managed_rabbitmq, f"redis://127.0.0.1:{redis_port}/0") as made:
        yield made
