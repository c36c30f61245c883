"""One file a provider. A new platform: a member of `Provider`, a file with its `ADAPTER`, a line here, its samples."""

from collections.abc import Mapping
from typing import Final

from sereno_backends.devops import Provider

from sereno_collectors.devops.adapter import ProviderAdapter
from sereno_collectors.devops.providers import azure_devops, bitbucket, generic, github, gitlab, jenkins

ADAPTERS: Final[Mapping[Provider, ProviderAdapter]] = {
    module.ADAPTER.provider: module.ADAPTER for module in (azure_devops, bitbucket, generic, github, gitlab, jenkins)
}
