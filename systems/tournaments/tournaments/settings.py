"""Configuration by environment variables, with each program's prefix: GATEWAY_, ACCOUNTS_, CATALOGUE_, TICKETS_."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_system.serving import ADMIN_HOST, Port
from reference_system.settings import Variables, WrongSettings

_BROKER = "amqp://guest:guest@127.0.0.1:5672/%2F"
_REDIS = "redis://127.0.0.1:6379/0"
_DATABASE = "postgresql://127.0.0.1:5432/"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What the gateway was told."""

    host: str
    port: int
    admin_port: int
    broker_url: str
    redis_url: str
    secret_file: Path
    """What signs tokens; the accounts service has the same."""
    answer_within_ms: int
    """How long a service may take to answer before the user is told 504."""
    log_file: Path | None
    unknown: tuple[str, ...]

    def ports(self) -> tuple[Port, Port]:
        """Where it listens: the API, and faults."""
        return Port(self.host, self.port, "GATEWAY_PORT"), Port(ADMIN_HOST, self.admin_port, "GATEWAY_ADMIN_PORT")


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What a service behind the gateway was told."""

    prefix: str
    host: str
    port: int
    """Metrics and health."""
    admin_port: int
    broker_url: str
    database_url: str
    """A database of its own, made if it isn't there."""
    secret_file: Path
    """Read by accounts only."""
    log_file: Path | None
    unknown: tuple[str, ...]

    def ports(self) -> tuple[Port, Port]:
        """Where it listens: metrics, and faults."""
        return (
            Port(self.host, self.port, f"{self.prefix}PORT"),
            Port(ADMIN_HOST, self.admin_port, f"{self.prefix}ADMIN_PORT"),
        )


def read_gateway(environment: Mapping[str, str]) -> GatewaySettings | WrongSettings:
    """The gateway's settings, or every mistake at once."""
    given = Variables("GATEWAY_", environment)
    port, admin_port = given.port("PORT", 18110), given.port("ADMIN_PORT", 18111)
    given.different(PORT=port, ADMIN_PORT=admin_port)
    settings = GatewaySettings(
        host=given.text("HOST", "127.0.0.1"),
        port=port,
        admin_port=admin_port,
        broker_url=given.text("BROKER_URL", _BROKER),
        redis_url=given.text("REDIS_URL", _REDIS),
        secret_file=given.path("SECRET_FILE", Path("var/tournaments/secret")),
        answer_within_ms=given.number("ANSWER_WITHIN_MS", 1500, lowest=10, highest=60_000),
        log_file=given.path_or_none("LOG_FILE"),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings


def read_service(prefix: str, usual_port: int, environment: Mapping[str, str]) -> ServiceSettings | WrongSettings:
    """A service's settings, or every mistake at once."""
    given = Variables(prefix, environment)
    port, admin_port = given.port("PORT", usual_port), given.port("ADMIN_PORT", usual_port + 1)
    given.different(PORT=port, ADMIN_PORT=admin_port)
    settings = ServiceSettings(
        prefix=prefix,
        host=given.text("HOST", "127.0.0.1"),
        port=port,
        admin_port=admin_port,
        broker_url=given.text("BROKER_URL", _BROKER),
        database_url=given.text("DATABASE_URL", _DATABASE + prefix.rstrip("_").lower()),
        secret_file=given.path("SECRET_FILE", Path("var/tournaments/secret")),
        log_file=given.path_or_none("LOG_FILE"),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings
