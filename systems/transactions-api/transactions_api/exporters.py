"""`python -m transactions_api.exporters`: Sereno's exporters of this system's function, queue and database.

It writes their configuration, the folder's `exporters.yaml` with its words said, into a folder of its own, and becomes
`sereno exporter all`.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import NoReturn

import psycopg
from boto3.session import Session  # type: ignore[import-untyped]
from psycopg.conninfo import conninfo_to_dict
from reference_system.program import UNREACHABLE, WRONG_SETTINGS
from reference_system.settings import WrongSettings

from transactions_api.postgresql_store import PostgresqlStore
from transactions_api.settings import ExportersSettings, read_exporters_settings
from transactions_api.sns_topic import queue_of
from transactions_api.store import StoreUnavailable

TEMPLATE = Path(__file__).parents[1] / "exporters.yaml"


def write_configuration(settings: ExportersSettings, region: str) -> Path:
    """The configuration, and the files of the database's account, which only we may read. Raises OSError."""
    folder, database = settings.folder, conninfo_to_dict(settings.database_url)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("user", database.get("user")), ("password", database.get("password"))):
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(str(text or ""))
    words = {
        "region": region,
        "aws": settings.aws_endpoint_url,
        "function": settings.function_name,
        "queue": queue_of(settings.sns_topic),
        "host": database.get("host", "127.0.0.1"),
        "port": database.get("port", 5432),
        "database": database.get("dbname", "postgres"),
    }
    written = folder / "exporters.yaml"
    written.write_text(Template(TEMPLATE.read_text()).substitute(words))
    return written


def main() -> NoReturn:
    """Prepare, and become the exporters; or end."""
    settings = read_exporters_settings(os.environ)
    if isinstance(settings, WrongSettings):
        _fail(*settings.mistakes, code=WRONG_SETTINGS)
    try:
        configuration = write_configuration(settings, Session().region_name or "us-east-1")
    except OSError as error:
        _fail(f"{error.filename or settings.folder} can't be written: {error.strerror}", code=UNREACHABLE)
    _count_statements(settings.database_url)
    place = ("--host", settings.host, "--port", str(settings.port))
    arguments = ("exporter", "all", "--config", str(configuration), *place)
    os.execv(sys.executable, [sys.executable, "-m", "sereno_cli", *arguments])  # noqa: S606 - it stays this process


def _count_statements(database_url: str) -> None:
    """Slow statements are counted by an extension, which is made if it isn't there and we may."""
    with suppress(psycopg.Error, StoreUnavailable):
        # It makes the database: all programs start together, and we may be the first.
        PostgresqlStore(database_url).close()
        with psycopg.connect(database_url, connect_timeout=2) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


def _fail(*messages: str, code: int) -> NoReturn:
    for message in messages:
        sys.stderr.write(f"transactions-exporters: {message}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
