"""Configuration by environment variables with the prefix TRANSACTIONS_."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_system.settings import Variables, WrongSettings

PREFIX = "TRANSACTIONS_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service was told."""

    host: str = "127.0.0.1"
    """Where the API listens; the admin port is always on 127.0.0.1."""
    port: int = 18080
    admin_port: int = 18081
    database: Path = Path("var/transactions-api/transactions.sqlite3")
    log_file: Path | None = None
    """ECS JSON lines go here; None is stderr."""
    queue_capacity: int = 10_000
    """Messages that may wait for the subscriber; beyond that, POST answers 503."""
    unknown: tuple[str, ...] = ()
    """Warnings about variables with our prefix that mean nothing to us."""


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given, defaults = Variables(PREFIX, environment), Settings()
    port, admin_port = given.port("PORT", defaults.port), given.port("ADMIN_PORT", defaults.admin_port)
    given.different(PORT=port, ADMIN_PORT=admin_port)
    settings = Settings(
        host=given.text("HOST", defaults.host),
        port=port,
        admin_port=admin_port,
        database=given.path("DATABASE", defaults.database),
        log_file=given.path_or_none("LOG_FILE"),
        queue_capacity=given.number("QUEUE_CAPACITY", defaults.queue_capacity, lowest=1, highest=10_000_000),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings
