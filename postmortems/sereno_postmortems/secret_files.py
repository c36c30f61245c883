"""Secrets of webhooks, read from their files whenever they are needed: a rotation needs no restart."""

from collections.abc import Sequence
from pathlib import Path

SHORTEST_SECRET = 16
"""Characters; shorter ones can be guessed."""


class SecretUnreadable(Exception):  # noqa: N818 - reads as what it is
    """No file holds a usable secret; the message names the file, never what is in it."""


def secrets_in(paths: Sequence[Path]) -> tuple[str, ...]:
    """One secret a file. While one of several is being replaced, the others stay valid.

    Raises:
        SecretUnreadable: none of them can be used.
    """
    found, troubles = [], []
    for path in paths:
        try:
            found.append(_secret(path))
        except SecretUnreadable as error:
            troubles.append(str(error))
    if not found:
        raise SecretUnreadable("; ".join(troubles))
    return tuple(found)


def _secret(path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SecretUnreadable(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretUnreadable(f"{path} is no UTF-8") from None
    if len(secret) < SHORTEST_SECRET:
        raise SecretUnreadable(f"{path} holds no secret of at least {SHORTEST_SECRET} characters")
    return secret
