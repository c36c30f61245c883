"""`python -m etl.exporters`: Sereno's exporters of this system's database, queues and quota.

It writes their configuration, the folder's `exporters.yaml` with its words said, into a folder of its own, and becomes
`sereno exporter all`.
"""

import os
import sys
from pathlib import Path
from string import Template
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from psycopg.conninfo import conninfo_to_dict
from reference_system.program import UNREACHABLE, WRONG_SETTINGS
from reference_system.settings import WrongSettings

from etl.settings import Settings, read_settings

TEMPLATE = Path(__file__).parents[1] / "exporters.yaml"


def write_configuration(settings: Settings) -> Path:
    """The configuration, and the files of its accounts, which only we may read. Raises `OSError`."""
    folder, database = settings.exporters_folder, conninfo_to_dict(settings.database_url)
    broker = urlsplit(settings.broker_url)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("database.user", database.get("user")),
        ("database.password", database.get("password")),
        ("broker.user", unquote(broker.username or "guest")),
        ("broker.password", unquote(broker.password or "guest")),
    ):
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(str(text or ""))
    words = {
        "database_host": database.get("host", "127.0.0.1"),
        "database_port": database.get("port", 5432),
        "database_name": database.get("dbname", "postgres"),
        "management": settings.management_url,
        "upstream": settings.upstream_url,
        "requests_per_hour": settings.requests_per_hour,
    }
    written = folder / "exporters.yaml"
    written.write_text(Template(TEMPLATE.read_text()).substitute(words))
    return written


def main() -> NoReturn:
    """Prepare, and become the exporters; or end."""
    settings = read_settings(os.environ, port=18160, admin_port=18161)
    if isinstance(settings, WrongSettings):
        _fail(*settings.mistakes, code=WRONG_SETTINGS)
    try:
        configuration = write_configuration(settings)
    except OSError as error:
        where = error.filename or settings.exporters_folder
        _fail(f"{where} can't be written: {error.strerror}", code=UNREACHABLE)
    arguments = (
        "exporter",
        "all",
        "--config",
        str(configuration),
        "--host",
        settings.host,
        "--port",
        str(settings.port),
    )
    os.execv(sys.executable, [sys.executable, "-m", "sereno_cli", *arguments])  # noqa: S606 - it stays this process


def _fail(*messages: str, code: int) -> NoReturn:
    for message in messages:
        sys.stderr.write(f"etl-exporters: {message}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
