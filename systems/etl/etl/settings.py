"""Configuration of all programs by environment variables with the prefix ETL_."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from reference_system.settings import Variables, WrongSettings

PREFIX = "ETL_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a program was told. Each reads all variables and uses those that it needs."""

    port: int
    admin_port: int
    host: str = "127.0.0.1"
    """Where it listens; the admin port is always on 127.0.0.1."""
    log_file: Path | None = None
    """ECS JSON lines go here; None is stderr."""
    database_url: str = "postgresql://127.0.0.1:5432/postgres"
    broker_url: str = "amqp://guest:guest@127.0.0.1:5672/%2F"
    management_url: str = "http://127.0.0.1:15672"
    """RabbitMQ's management API, for the exporters."""
    exporters_folder: Path = Path("var/etl/exporters")
    """Where the exporters' configuration is written."""
    objects_url: str = "http://127.0.0.1:5000"
    """The endpoint of S3."""
    bucket: str = "etl-raw"
    upstream_url: str = "http://127.0.0.1:18158"
    extract_url: str = "http://127.0.0.1:18152"
    period_seconds: int = 10
    """Between the beginnings of two extraction runs."""
    raw_kept_seconds: int = 3600
    """Raw objects are deleted so long after their extraction."""
    orders_per_second: int = 10
    """Mean of what the shop sells."""
    requests_per_hour: int = 3600
    """What the shop's API allows."""
    unknown: tuple[str, ...] = ()
    """Warnings about variables with our prefix that mean nothing to us."""


def read_settings(environment: Mapping[str, str], *, port: int, admin_port: int) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set.

    Args:
        environment: where the variables are.
        port: where this program listens unless told otherwise.
        admin_port: the same for its faults.
    """
    given, defaults = Variables(PREFIX, environment), Settings(port, admin_port)
    ports = given.port("PORT", port), given.port("ADMIN_PORT", admin_port)
    given.different(PORT=ports[0], ADMIN_PORT=ports[1])
    settings = Settings(
        *ports,
        host=given.text("HOST", defaults.host),
        log_file=given.path_or_none("LOG_FILE"),
        database_url=_address(given, "DATABASE_URL", defaults.database_url, "postgresql"),
        broker_url=_address(given, "BROKER_URL", defaults.broker_url, "amqp"),
        management_url=_address(given, "MANAGEMENT_URL", defaults.management_url, "http"),
        exporters_folder=given.path("EXPORTERS_FOLDER", defaults.exporters_folder),
        objects_url=_address(given, "OBJECTS_URL", defaults.objects_url, "http"),
        bucket=given.text("BUCKET", defaults.bucket),
        upstream_url=_address(given, "UPSTREAM_URL", defaults.upstream_url, "http"),
        extract_url=_address(given, "EXTRACT_URL", defaults.extract_url, "http"),
        period_seconds=given.number("PERIOD_SECONDS", defaults.period_seconds, lowest=1, highest=86_400),
        raw_kept_seconds=given.number("RAW_KEPT_SECONDS", defaults.raw_kept_seconds, lowest=60, highest=31_536_000),
        orders_per_second=given.number("ORDERS_PER_SECOND", defaults.orders_per_second, lowest=1, highest=1_000),
        requests_per_hour=given.number("REQUESTS_PER_HOUR", defaults.requests_per_hour, lowest=1, highest=1_000_000),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings


def _address(given: Variables, name: str, default: str, scheme: str) -> str:
    text = given.text(name, default)
    try:
        parsed = urlsplit(text)
        right = parsed.scheme in (scheme, f"{scheme}s") and bool(parsed.hostname) and parsed.port != 0
    except ValueError:  # a port that is no number
        right = False
    if right:
        return text
    # Without what was given: it may hold a password.
    given.wrong(f"{PREFIX}{name} is no address of {scheme}: write for example {default}")
    return default
