"""One file a platform: what its webhooks look like, how they are signed, and what its REST answers."""

from collections.abc import Mapping
from typing import Final

from devops_events.generator.platforms import azure_devops, bitbucket, cloud_ci, github, gitlab, jenkins
from devops_events.generator.platforms.form import Platform

PLATFORMS: Final[Mapping[str, Platform]] = {
    "github": github.PLATFORM,
    "gitlab": gitlab.PLATFORM,
    "azure_devops": azure_devops.PLATFORM,
    "jenkins": jenkins.PLATFORM,
    "bitbucket": bitbucket.PLATFORM,
    "cloud_ci": cloud_ci.PLATFORM,
}
