"""Configuration by environment variables with the prefix METRICS_CONSUMER_."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reference_system.settings import Variables, WrongSettings

from fitness import program
from fitness.program import read_place
from fitness.secrets import read_address

PREFIX = "METRICS_CONSUMER_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(program.Settings):
    """What the program was told."""

    database_url: str
    redis_url: str
    name: str
    """Its own among consumers, and the same after a restart: what it had taken is under this name."""


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given = Variables(PREFIX, environment)
    settings = Settings(
        place=read_place(given, 18096),
        prefix=PREFIX,
        database_url=read_address(
            given, PREFIX, "DATABASE_URL", "DATABASE_PASSWORD", "postgresql://metrics:{password}@127.0.0.1:5432/fitness"
        ),
        redis_url=read_address(given, PREFIX, "REDIS_URL", "REDIS_PASSWORD", "redis://127.0.0.1:6379/0"),
        name=given.text("NAME", "consumer-0"),
        unknown=given.unknown(),
    )
    if not re.fullmatch(r"[a-z0-9-]{1,60}", settings.name):
        given.wrong(f"{PREFIX}NAME={settings.name}: write lower-case letters, digits and hyphens, at most 60")
    return given.mistakes() or settings
