"""PostgreSQL that hangs is hung up; on a real one."""

import time

import psycopg
import pytest
from reference_system.hanging import hung_up_in_time
from support.postgresql import PostgresqlServer, marked
from support.timing import timed

pytestmark = marked


@timed
def test_a_server_that_does_not_answer_is_hung_up(postgresql: PostgresqlServer) -> None:
    """Frozen in the middle of a statement: who waits gets an error when the time is over, on a broken connection."""
    with psycopg.connect(postgresql.url(), autocommit=True) as connection, postgresql.frozen():
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError), hung_up_in_time(connection, 0.3):
            connection.execute("SELECT 1")
        assert 0.3 <= time.monotonic() - began < 3
        assert connection.broken


def test_a_server_that_answers_in_time_is_left_alone(postgresql: PostgresqlServer) -> None:
    """Neither within the block nor after it."""
    with psycopg.connect(postgresql.url(), autocommit=True) as connection:
        with hung_up_in_time(connection, 0.2):
            connection.execute("SELECT 1")
        time.sleep(0.3)
        assert connection.execute("SELECT 2").fetchone() == (2,)
