"""Variables: what is read, and what is told of mistakes."""

import subprocess
import sys
from pathlib import Path

import pytest
from etl.exporters import write_configuration
from etl.settings import Settings, read_settings
from reference_system.settings import WrongSettings
from support.etl_system import environment


def read(**variables: str) -> Settings | WrongSettings:
    """Settings of a program."""
    return read_settings({f"ETL_{name}": value for name, value in variables.items()}, port=1, admin_port=2)


def test_without_variables_the_defaults_hold() -> None:
    """An empty environment is a configuration."""
    assert read() == Settings(1, 2)
    assert read(HOST=" ") == Settings(1, 2)


def test_all_variables_are_read() -> None:
    """Each variable reaches its setting."""
    assert read(
        PORT="3", ADMIN_PORT="4", HOST="h", LOG_FILE="/l", DATABASE_URL="postgresql://d/x", BROKER_URL="amqps://b",
        MANAGEMENT_URL="https://m", EXPORTERS_FOLDER="/e", OBJECTS_URL="http://o", BUCKET="b", UPSTREAM_URL="http://u",
        EXTRACT_URL="http://e", PERIOD_SECONDS="5", RAW_KEPT_SECONDS="60", ORDERS_PER_SECOND="6", REQUESTS_PER_HOUR="7",
    ) == Settings(
        3, 4, "h", Path("/l"), "postgresql://d/x", "amqps://b", "https://m", Path("/e"), "http://o", "b", "http://u",
        "http://e", 5, 60, 6, 7,
    )  # fmt: skip


def test_wrong_addresses_are_all_told_without_their_passwords() -> None:
    """Every mistake at once, each with what to write."""
    wrong = read(DATABASE_URL="mysql://me:secret@x", BROKER_URL="localhost", UPSTREAM_URL="http://x:port")
    assert wrong == WrongSettings(
        (
            "ETL_DATABASE_URL is no address of postgresql: write for example postgresql://127.0.0.1:5432/postgres",
            "ETL_BROKER_URL is no address of amqp: write for example amqp://guest:guest@127.0.0.1:5672/%2F",
            "ETL_UPSTREAM_URL is no address of http: write for example http://127.0.0.1:18158",
        )
    )


def test_an_unknown_variable_is_a_warning_with_the_nearest_name() -> None:
    """A slip of the pen is told."""
    settings = read(BUKET="x")
    assert isinstance(settings, Settings)
    assert settings.unknown == ("ETL_BUKET is not known and ignored; did you mean ETL_BUCKET?",)


@pytest.mark.parametrize("program", ["upstream", "extract", "transform", "load", "api", "exporters"])
def test_every_program_tells_mistakes_with_exit_code_2(program: str) -> None:
    """One line each, and no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", f"etl.{program}"],
        env=environment(ETL_PORT="http", ETL_PERIOD_SECONDS="0"),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"etl-{program}: ETL_PORT=http: write a whole number from 1 to 65535\n"
        f"etl-{program}: ETL_PERIOD_SECONDS=0: write a whole number from 1 to 86400\n"
    )


def test_the_exporters_configuration_is_right(tmp_path: Path) -> None:
    """`sereno exporter check` finds no mistake in what is written, and accounts are for us alone."""
    settings = Settings(
        1,
        2,
        database_url="postgresql://me:p%40ss@db:1234/orders",
        broker_url="amqp://you:w%40rd@mq/%2F",
        exporters_folder=tmp_path / "new",
    )
    written = write_configuration(settings)
    command = [sys.executable, "-m", "sereno_cli", "exporter", "check", "--config", str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    content = {path.name: path.read_text() for path in written.parent.iterdir()}
    assert "host: db" in content.pop("exporters.yaml")
    assert content == {
        "database.user": "me",
        "database.password": "p@ss",
        "broker.user": "you",
        "broker.password": "w@rd",
    }
    assert {path.stat().st_mode & 0o777 for path in written.parent.glob("*.password")} == {0o600}
