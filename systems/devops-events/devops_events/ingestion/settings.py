"""What an ingestion node is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reference_system.settings import Variables, WrongSettings

from devops_events.settings import BROKER, LOOPBACK, PREFIX, SECRETS, host_name, url


@dataclass(frozen=True, slots=True)
class Settings:
    """What an ingestion node was told."""

    host: str = LOOPBACK
    port: int = 18101
    admin_port: int = 18102
    node: str = field(default_factory=host_name)
    """Names it among the nodes; on every event that it accepted."""
    secrets: Path = SECRETS
    broker: str = BROKER
    claims: str = "redis://127.0.0.1:6379/0"
    claim_seconds: int = 21_600
    """How long the cheap filter knows a delivery; what comes again later is the store's to remove."""
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
        node=given.text("NODE", defaults.node),
        secrets=given.path("SECRETS", defaults.secrets),
        broker=url(given, "BROKER", defaults.broker, ("amqp", "amqps")),
        claims=url(given, "CLAIMS", defaults.claims, ("redis", "rediss")),
        claim_seconds=given.number("CLAIM_SECONDS", defaults.claim_seconds, lowest=60, highest=2_592_000),
        log_file=given.path_or_none("LOG_FILE"),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings
