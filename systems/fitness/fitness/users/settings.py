"""Configuration by environment variables with the prefix USERS_."""

from collections.abc import Mapping
from dataclasses import dataclass

from reference_system.settings import Variables, WrongSettings

from fitness import program
from fitness.program import read_place
from fitness.secrets import read_address, read_key

PREFIX = "USERS_"
_SHORTEST_PASSWORD = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(program.Settings):
    """What the service was told."""

    database_url: str
    redis_url: str
    jwt_key: str
    admin_password: str
    metrics_url: str
    """Where the metrics API says which events are stored."""


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given = Variables(PREFIX, environment)
    settings = Settings(
        place=read_place(given, 18090),
        prefix=PREFIX,
        database_url=read_address(
            given, PREFIX, "DATABASE_URL", "DATABASE_PASSWORD", "postgresql://users:{password}@127.0.0.1:5432/fitness"
        ),
        redis_url=read_address(given, PREFIX, "REDIS_URL", "REDIS_PASSWORD", "redis://127.0.0.1:6379/0"),
        jwt_key=read_key(given, PREFIX, "JWT_KEY"),
        admin_password=given.text("ADMIN_PASSWORD", ""),
        metrics_url=given.text("METRICS_URL", "http://127.0.0.1:18094"),
        unknown=given.unknown(),
    )
    if len(settings.admin_password) < _SHORTEST_PASSWORD:
        given.wrong(f"{PREFIX}ADMIN_PASSWORD is shorter than {_SHORTEST_PASSWORD} characters: set it to a longer one")
    return given.mistakes() or settings
