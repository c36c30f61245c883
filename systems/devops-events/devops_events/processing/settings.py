"""What a processing worker is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_system.settings import Variables, WrongSettings

from devops_events.settings import BROKER, DATABASE, LOOPBACK, PREFIX, url


@dataclass(frozen=True, slots=True)
class Settings:
    """What a processing worker was told."""

    host: str = LOOPBACK
    port: int = 18111
    admin_port: int = 18112
    broker: str = BROKER
    database: str = DATABASE
    log_file: Path | None = None
    """ECS JSON lines go here; None is stderr."""
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
        broker=url(given, "BROKER", defaults.broker, ("amqp", "amqps")),
        database=url(given, "DATABASE", defaults.database, ("postgresql", "postgres")),
        log_file=given.path_or_none("LOG_FILE"),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings
