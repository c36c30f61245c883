"""Configuration by environment variables with the prefix PAYMENT_NETWORK_."""

from collections.abc import Mapping
from dataclasses import dataclass

from reference_system.settings import Variables, WrongSettings

from fitness import program
from fitness.program import read_place

PREFIX = "PAYMENT_NETWORK_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(program.Settings):
    """What the program was told."""


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given = Variables(PREFIX, environment)
    settings = Settings(place=read_place(given, 18098), prefix=PREFIX, unknown=given.unknown())
    return given.mistakes() or settings
