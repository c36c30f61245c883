"""Configuration by environment variables with the prefix METRICS_API_."""

from collections.abc import Mapping
from dataclasses import dataclass

from reference_system.settings import Variables, WrongSettings

from fitness import program
from fitness.program import read_place
from fitness.secrets import read_address, read_key

PREFIX = "METRICS_API_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(program.Settings):
    """What the program was told."""

    database_url: str
    jwt_key: str


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given = Variables(PREFIX, environment)
    settings = Settings(
        place=read_place(given, 18094),
        prefix=PREFIX,
        database_url=read_address(
            given, PREFIX, "DATABASE_URL", "DATABASE_PASSWORD", "postgresql://metrics:{password}@127.0.0.1:5432/fitness"
        ),
        jwt_key=read_key(given, PREFIX, "JWT_KEY"),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings
