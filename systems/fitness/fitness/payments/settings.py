"""Configuration by environment variables with the prefix PAYMENTS_."""

from collections.abc import Mapping
from dataclasses import dataclass

from reference_system.settings import Variables, WrongSettings

from fitness import program
from fitness.program import read_place
from fitness.secrets import read_address, read_key

PREFIX = "PAYMENTS_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(program.Settings):
    """What the service was told."""

    database_url: str
    jwt_key: str
    network_url: str
    """Where the payment network authorizes payments."""
    network_timeout_milliseconds: int


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given = Variables(PREFIX, environment)
    settings = Settings(
        place=read_place(given, 18092),
        prefix=PREFIX,
        database_url=read_address(
            given, PREFIX, "DATABASE_URL", "DATABASE_PASSWORD", "postgresql://payments:{password}@127.0.0.1/fitness"
        ),
        jwt_key=read_key(given, PREFIX, "JWT_KEY"),
        network_url=given.text("NETWORK_URL", "http://127.0.0.1:18098"),
        network_timeout_milliseconds=given.number("NETWORK_TIMEOUT_MILLISECONDS", 2_000, lowest=1, highest=60_000),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings
