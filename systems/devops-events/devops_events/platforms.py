"""The platforms whose webhooks are taken: each is a source of Sereno's receiver, with that receiver's provider."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sereno_backends.devops import Provider
from sereno_collectors.devops.model import Conventions, Message, Source
from sereno_collectors.devops.providers import ADAPTERS
from sereno_collectors.devops.translation import delivery_id_of

WEBHOOKS: Final = "/webhooks/"
"""Where platforms deliver; their name follows."""
PROVIDERS: Final[Mapping[str, Provider]] = {
    "github": Provider.GITHUB,
    "gitlab": Provider.GITLAB,
    "azure_devops": Provider.AZURE_DEVOPS,
    "jenkins": Provider.JENKINS,
    "bitbucket": Provider.BITBUCKET,
    "cloud_ci": Provider.GENERIC,  # whatever CI runs in a cloud and has no webhook of its own: the generic form
}
"""By the name that the webhook's address ends in."""
UNKNOWN: Final = "_unknown"
"""Stands for all names that are none of ours: what strangers ask for makes no series."""


def sources(secrets: Path | None = None) -> Mapping[str, Source]:
    """The platforms as sources; without a folder of secrets nobody can deliver by them, but they can be read.

    Args:
        secrets: a folder with one file for each platform, named like it.
    """
    return {
        name: Source(
            name=name,
            provider=provider,
            secret_files=() if secrets is None else (secrets / name,),
            conventions=Conventions(deployments={"deploy*": "production", "*-deploy": "production"}),
        )
        for name, provider in PROVIDERS.items()
    }


def idempotency_key(source: Source, message: Message) -> str:
    """What one delivery is known by, on whatever node and however often it comes.

    The platform's own id of the delivery, where it has one: it stays the same when the platform sends again. Jenkins
    has none: a hash of the content stands in.
    """
    return f"{source.name}/{delivery_id_of(ADAPTERS[source.provider], message)}"
