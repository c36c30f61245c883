"""Configuration by environment variables with the prefix INGRESS_."""

from collections.abc import Mapping
from dataclasses import dataclass

from reference_system.settings import Variables, WrongSettings

from fitness import program
from fitness.program import read_place

PREFIX = "INGRESS_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(program.Settings):
    """What the program was told."""

    users_url: str
    payments_url: str
    metrics_url: str
    timeout_milliseconds: int
    """How long a service may take to answer."""


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given = Variables(PREFIX, environment)
    settings = Settings(
        place=read_place(given, 18088),
        prefix=PREFIX,
        users_url=given.text("USERS_URL", "http://127.0.0.1:18090"),
        payments_url=given.text("PAYMENTS_URL", "http://127.0.0.1:18092"),
        metrics_url=given.text("METRICS_URL", "http://127.0.0.1:18094"),
        timeout_milliseconds=given.number("TIMEOUT_MILLISECONDS", 4_000, lowest=1, highest=60_000),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings
