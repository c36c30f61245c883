"""Configuration by environment variables with the prefix TRANSACTIONS_."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_system.settings import Variables, WrongSettings

PREFIX = "TRANSACTIONS_"

_SCHEMES = ("postgresql://", "postgres://")
_EXAMPLE = "for example postgresql://user:password@127.0.0.1:5432/transactions"


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
    database_url: str = ""
    """A database of PostgreSQL; empty: the SQLite file."""
    sns_topic: str = ""
    """The name of an SNS topic, whose subscriber is a program of its own; empty: a queue in memory, with a thread."""
    aws_endpoint_url: str | None = None
    """What answers as AWS does; None is AWS itself."""
    unknown: tuple[str, ...] = ()
    """Warnings about variables with our prefix that mean nothing to us."""


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given, defaults = Variables(PREFIX, environment), Settings()
    port, admin_port = given.port("PORT", defaults.port), given.port("ADMIN_PORT", defaults.admin_port)
    given.different(PORT=port, ADMIN_PORT=admin_port)
    database_url, sns_topic = _database_url(given), given.text("SNS_TOPIC", "")
    if sns_topic and not database_url:
        given.wrong(
            f"{PREFIX}SNS_TOPIC={sns_topic}: its subscriber is a program of its own, so both need a database server: "
            f"set {PREFIX}DATABASE_URL, too"
        )
    settings = Settings(
        host=given.text("HOST", defaults.host),
        port=port,
        admin_port=admin_port,
        database=given.path("DATABASE", defaults.database),
        log_file=given.path_or_none("LOG_FILE"),
        queue_capacity=given.number("QUEUE_CAPACITY", defaults.queue_capacity, lowest=1, highest=10_000_000),
        database_url=database_url,
        sns_topic=sns_topic,
        aws_endpoint_url=_aws_endpoint_url(given),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings


@dataclass(frozen=True, slots=True)
class SubscriberSettings:
    """What the subscriber was told, where it is a program of its own."""

    database_url: str
    host: str = "127.0.0.1"
    """Where metrics are; the admin port is always on 127.0.0.1."""
    port: int = 18082
    admin_port: int = 18083
    log_file: Path | None = None
    """ECS JSON lines go here; None is stderr."""
    sns_topic: str = "transactions"
    aws_endpoint_url: str | None = None
    """What answers as AWS does; None is AWS itself."""
    function_name: str = ""
    """Under which CloudWatch is told what Lambda would tell; empty: it isn't, as where Lambda itself does."""
    idle_minutes: int = 10
    """After so long without work, the next is a cold start."""
    unknown: tuple[str, ...] = ()
    """Warnings about variables with our prefix that mean nothing to us."""


def read_subscriber_settings(environment: Mapping[str, str]) -> SubscriberSettings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given, defaults = Variables(PREFIX, environment), SubscriberSettings("")
    port, admin_port = given.port("PORT", defaults.port), given.port("ADMIN_PORT", defaults.admin_port)
    given.different(PORT=port, ADMIN_PORT=admin_port)
    database_url = _database_url(given)
    if not database_url and given.mistakes() is None:
        given.wrong(f"{PREFIX}DATABASE_URL is not set: write where transactions are stored, {_EXAMPLE}")
    settings = SubscriberSettings(
        database_url,
        host=given.text("HOST", defaults.host),
        port=port,
        admin_port=admin_port,
        log_file=given.path_or_none("LOG_FILE"),
        sns_topic=given.text("SNS_TOPIC", defaults.sns_topic),
        aws_endpoint_url=_aws_endpoint_url(given),
        function_name=given.text("FUNCTION_NAME", defaults.function_name),
        idle_minutes=given.number("IDLE_MINUTES", defaults.idle_minutes, lowest=1, highest=1440),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings


@dataclass(frozen=True, slots=True)
class ExportersSettings:
    """What the exporters beside the system were told."""

    database_url: str
    folder: Path = Path("var/transactions-api/exporters")
    """Where their configuration and what they remember goes."""
    host: str = "127.0.0.1"
    port: int = 18084
    sns_topic: str = "transactions"
    aws_endpoint_url: str = ""
    function_name: str = "transactions-subscriber"


def read_exporters_settings(environment: Mapping[str, str]) -> ExportersSettings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given, defaults = Variables(PREFIX, environment), ExportersSettings("")
    database_url, aws_endpoint_url = _database_url(given), _aws_endpoint_url(given)
    if not (database_url and aws_endpoint_url) and given.mistakes() is None:
        given.wrong(f"{PREFIX}DATABASE_URL and {PREFIX}AWS_ENDPOINT_URL say what is watched: set both")
    settings = ExportersSettings(
        database_url,
        folder=given.path("EXPORTERS_FOLDER", defaults.folder),
        host=given.text("EXPORTERS_HOST", defaults.host),
        port=given.port("EXPORTERS_PORT", defaults.port),
        sns_topic=given.text("SNS_TOPIC", defaults.sns_topic),
        aws_endpoint_url=aws_endpoint_url or "",
        function_name=given.text("FUNCTION_NAME", defaults.function_name),
    )
    return given.mistakes() or settings


def _database_url(given: Variables) -> str:
    """Never repeated in a mistake: it may hold a password."""
    text = given.text("DATABASE_URL", "")
    if text and not text.startswith(_SCHEMES):
        given.wrong(f"{PREFIX}DATABASE_URL is no address of PostgreSQL: write {_EXAMPLE}")
    return text


def _aws_endpoint_url(given: Variables) -> str | None:
    text = given.text("AWS_ENDPOINT_URL", "")
    if text and not text.startswith(("http://", "https://")):
        given.wrong(f"{PREFIX}AWS_ENDPOINT_URL={text}: write an address, for example http://127.0.0.1:5000")
    return text or None
