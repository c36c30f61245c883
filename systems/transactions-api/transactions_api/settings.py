"""Configuration by environment variables with the prefix TRANSACTIONS_."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PREFIX = "TRANSACTIONS_"
HIGHEST_PORT = 65535


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
    unknown: tuple[str, ...] = ()
    """Warnings about variables with our prefix that mean nothing to us."""


@dataclass(frozen=True, slots=True)
class WrongSettings:
    """Everything that is wrong with the variables, one message each."""

    mistakes: tuple[str, ...]


_NAMES = ("HOST", "PORT", "ADMIN_PORT", "DATABASE", "LOG_FILE", "QUEUE_CAPACITY")


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given = {
        name.removeprefix(PREFIX): value.strip()
        for name, value in environment.items()
        if name.startswith(PREFIX) and value.strip()
    }
    mistakes: list[str] = []

    def number(name: str, default: int, *, lowest: int, highest: int) -> int:
        text = given.get(name, str(default))
        if text.isascii() and text.isdigit() and lowest <= int(text) <= highest:
            return int(text)
        mistakes.append(f"{PREFIX}{name}={text}: write a whole number from {lowest} to {highest}")
        return default

    defaults = Settings()
    settings = Settings(
        host=given.get("HOST", defaults.host),
        port=number("PORT", defaults.port, lowest=1, highest=HIGHEST_PORT),
        admin_port=number("ADMIN_PORT", defaults.admin_port, lowest=1, highest=HIGHEST_PORT),
        database=Path(given.get("DATABASE", str(defaults.database))),
        log_file=Path(given["LOG_FILE"]) if "LOG_FILE" in given else None,
        queue_capacity=number("QUEUE_CAPACITY", defaults.queue_capacity, lowest=1, highest=10_000_000),
        unknown=tuple(_unknown(name) for name in sorted(given) if name not in _NAMES),
    )
    if settings.port == settings.admin_port and not mistakes:
        mistakes.append(f"{PREFIX}PORT and {PREFIX}ADMIN_PORT are both {settings.port}: give each its own")
    return WrongSettings(tuple(mistakes)) if mistakes else settings


def _unknown(name: str) -> str:
    # A warning, no mistake: Kubernetes puts variables of its own beside ours for a service called "transactions".
    near = difflib.get_close_matches(name, _NAMES, n=1)
    return f"{PREFIX}{name} is not known and ignored" + (f"; did you mean {PREFIX}{near[0]}?" if near else "")
