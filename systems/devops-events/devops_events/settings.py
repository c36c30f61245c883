"""Configuration by environment variables with the prefix DEVOPS_EVENTS_: what several programs are told."""

import socket
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from reference_system.settings import Variables

PREFIX: Final = "DEVOPS_EVENTS_"
LOOPBACK: Final = "127.0.0.1"
SECRETS: Final = Path("var/devops-events/secrets")
BROKER: Final = "amqp://guest:guest@127.0.0.1:5672/%2F"
DATABASE: Final = "postgresql://127.0.0.1:5432/devops_events"


def url(given: Variables, name: str, default: str, schemes: tuple[str, ...]) -> str:
    """The address of a server. It is never shown in messages: there may be a password in it."""
    text = given.text(name, default)
    try:
        parts = urlsplit(text)
        is_right = parts.scheme in schemes and (parts.port is None or parts.port > 0)
    except ValueError:
        is_right = False
    if is_right:
        return text
    given.wrong(f"{PREFIX}{name} is no address that can be used: it begins with {' or '.join(schemes)}, then ://")
    return default


def addresses(given: Variables, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """Web addresses of several programs, separated by commas."""
    texts = tuple(one.strip().rstrip("/") for one in given.text(name, ",".join(default)).split(",") if one.strip())
    for text in texts:
        try:
            is_right = text.startswith("http://") and bool(urlsplit(text).hostname) and urlsplit(text).port is not None
        except ValueError:
            is_right = False
        if not is_right:
            given.wrong(f"{PREFIX}{name}: {text!r} is no address; write for example http://127.0.0.1:18101")
            return default
    return texts


def host_name() -> str:
    """What this machine calls itself."""
    return socket.gethostname() or "node"
