"""What the platforms and we share: one file each, made by whichever program comes first."""

import base64
import os
import secrets
from pathlib import Path

from reference_system.program import Unavailable
from sereno_backends.devops import Provider

from devops_events.platforms import PROVIDERS

_KEY_BYTES = 32


class SecretsUnavailable(Unavailable):
    """The folder of secrets can't be written; the message names it."""


def make_missing(folder: Path) -> None:
    """Make the secrets that aren't there yet; those that are stay as they are.

    Several programs may do this at the same moment: a file appears as a whole, and the first one wins.

    Raises:
        SecretsUnavailable: the folder or a file can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for platform, provider in PROVIDERS.items():
            _make(folder / platform, _fresh(platform, provider))
    except OSError as error:
        raise SecretsUnavailable(f"secrets can't be made in {folder}: {error.strerror}") from error


def _fresh(platform: str, provider: Provider) -> str:
    """A secret of the kind that the platform's scheme asks for."""
    match provider:
        case Provider.AZURE_DEVOPS | Provider.JENKINS:
            return f"{platform}:{secrets.token_hex(_KEY_BYTES)}"  # a user and a password
        case Provider.GITLAB | Provider.GENERIC:
            return "whsec_" + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
        case Provider.GITHUB | Provider.BITBUCKET:
            return secrets.token_hex(_KEY_BYTES)


def _make(path: Path, secret: str) -> None:
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
    try:
        path.hardlink_to(draft)  # unlike a rename it fails where somebody was faster
    except FileExistsError:
        pass
    finally:
        draft.unlink()
