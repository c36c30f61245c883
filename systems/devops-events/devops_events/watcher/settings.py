"""What the watcher is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_system.settings import Variables, WrongSettings

from devops_events.settings import DATABASE, LOOPBACK, PREFIX, addresses, url


@dataclass(frozen=True, slots=True)
class Settings:
    """What the watcher was told."""

    host: str = LOOPBACK
    port: int = 18121
    answers_port: int = 18122
    """UDP: where the gateway tells how each request was answered."""
    nodes: tuple[str, ...] = ("http://127.0.0.1:18102",)
    """The admin addresses of all ingestion nodes."""
    database: str = DATABASE
    log_file: Path | None = None
    """ECS JSON lines go here; None is stderr."""
    unknown: tuple[str, ...] = ()
    """Warnings about variables with our prefix that mean nothing to us."""


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given, defaults = Variables(PREFIX, environment), Settings()
    settings = Settings(
        host=given.text("HOST", defaults.host),
        port=given.port("PORT", defaults.port),
        answers_port=given.port("ANSWERS_PORT", defaults.answers_port),
        nodes=addresses(given, "NODES", defaults.nodes),
        database=url(given, "DATABASE", defaults.database, ("postgresql", "postgres")),
        log_file=given.path_or_none("LOG_FILE"),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings
