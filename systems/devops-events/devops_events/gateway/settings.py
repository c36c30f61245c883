"""What the gateway is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_system.settings import Variables, WrongSettings

from devops_events.settings import LOOPBACK, PREFIX, addresses


@dataclass(frozen=True, slots=True)
class Settings:
    """What the gateway was told."""

    host: str = LOOPBACK
    port: int = 18100
    nodes: tuple[str, ...] = ("http://127.0.0.1:18101",)
    """The ingestion nodes, which it asks in turn."""
    answers_port: int = 18122
    """UDP on loopback: where the watcher hears how each request was answered."""
    files: Path = Path("var/devops-events/gateway")
    """Its configuration and temporary files."""
    nginx: str = ""
    """The program; empty: the one that is installed, and `none`: without."""
    log_file: Path | None = None
    """ECS JSON lines go here; None is stderr. nginx itself writes to stderr."""
    unknown: tuple[str, ...] = ()
    """Warnings about variables with our prefix that mean nothing to us."""


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given, defaults = Variables(PREFIX, environment), Settings()
    settings = Settings(
        host=given.text("HOST", defaults.host),
        port=given.port("PORT", defaults.port),
        nodes=addresses(given, "NODES", defaults.nodes),
        answers_port=given.port("ANSWERS_PORT", defaults.answers_port),
        files=given.path("FILES", defaults.files),
        nginx=given.text("NGINX", defaults.nginx),
        log_file=given.path_or_none("LOG_FILE"),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings
