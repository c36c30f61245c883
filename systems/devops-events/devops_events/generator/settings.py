"""What the generator is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_system.settings import Variables, WrongSettings

from devops_events.settings import LOOPBACK, PREFIX, SECRETS, addresses


@dataclass(frozen=True, slots=True)
class Settings:
    """What the generator was told."""

    host: str = LOOPBACK
    port: int = 18131
    """The platforms' REST, and the generator's own metrics."""
    admin_port: int = 18132
    targets: tuple[str, ...] = ("http://127.0.0.1:18100",)
    """Where webhooks go: the gateway; several addresses are taken in turn."""
    secrets: Path = SECRETS
    period_milliseconds: int = 150
    """Mean time between two deliveries, over a day whose traffic goes up and down."""
    doubles_percent: int = 10
    """Part of the deliveries that is sent twice: half of them at the same moment."""
    seed: int = 0
    """The same seed sends the same again, doubles included; 0: another one at each start."""
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
        targets=addresses(given, "TARGETS", defaults.targets),
        secrets=given.path("SECRETS", defaults.secrets),
        period_milliseconds=given.number(
            "PERIOD_MILLISECONDS", defaults.period_milliseconds, lowest=1, highest=600_000
        ),
        doubles_percent=given.number("DOUBLES_PERCENT", defaults.doubles_percent, lowest=0, highest=100),
        seed=given.number("SEED", defaults.seed, lowest=0, highest=1_000_000),
        log_file=given.path_or_none("LOG_FILE"),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings
