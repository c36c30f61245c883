"""`devops.yaml`: whose webhooks are received; every mistake with its place, code and cure."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from sereno_backends.devops import Provider
from sereno_collectors.devops.authentication import SIGNING_PREFIX
from sereno_collectors.devops.model import Conventions, Source
from sereno_collectors.devops.providers import ADAPTERS
from sereno_collectors.devops.secret_files import UnusableSecret, is_usable, read_secret
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.parse import Parsed, parse_as
from sereno_slo.parse.words import Name, mistake
from sereno_slo.source import read_source

EXAMPLE = """\
version: sereno/v1
sources:
  github:
    provider: github
    secret_files: [secrets/github]
    services: {acme/shop: checkout}
    production: [production]
"""
_RANDOM_TEXT = "openssl rand -hex 32"
_RANDOM_KEY = f'echo "{SIGNING_PREFIX}$(openssl rand -base64 32)"'


def _version(text: str) -> str:
    if text != "sereno/v1":
        raise mistake("SLO010", f"version {text!r} is not known", "write version: sereno/v1")
    return text


def _provider(text: Any) -> Any:
    known = [provider.value for provider in Provider]
    if isinstance(text, str) and text not in known:
        better = re.sub(r"[^a-z]+", "_", text.lower())
        hint = f"write {better}" if better in known else f"write one of {', '.join(known)}"
        raise mistake("SLO006", f"{text!r} is no provider", hint)
    return text


def _sources(sources: Any) -> Any:
    if isinstance(sources, dict) and not sources:
        raise mistake("SLO006", "there are no sources: nothing would be received", "write at least one")
    return sources


class _Mapping(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Text = Annotated[str, Field(min_length=1)]


class SourceDocument(_Mapping):
    """One sender of webhooks."""

    provider: Annotated[str, BeforeValidator(_provider)] = Field(description="Whose webhooks", examples=["github"])
    secret_files: list[Text] = Field(
        min_length=1, description="Files with one secret each; all are valid", examples=["[secrets/github]"]
    )
    services: dict[str, Name] = Field({}, description="Service by repository (a pattern)", examples=["{acme/shop: a}"])
    production: list[Text] | None = Field(None, description="Environments (patterns) that count as production")
    deployments: dict[str, Text] = Field({}, description="Environment by pipeline (a pattern) that deploys there")
    incident_labels: list[Text] = Field(["incident"], description="Labels that make an issue an incident")


class DevOpsDocument(_Mapping):
    """`devops.yaml`."""

    version: Annotated[str, AfterValidator(_version)] = Field(examples=["sereno/v1"])
    sources: Annotated[dict[Name, SourceDocument], BeforeValidator(_sources)] = Field(
        description="By the name that stands in the webhook's address", examples=["{github: …}"]
    )


def read_sources(path: Path) -> tuple[Source, ...] | tuple[Diagnostic, ...]:
    """The sources of a file, or every mistake in it; secrets are looked at, too."""
    source = read_source(path)
    if isinstance(source, Diagnostic):
        return (source,)
    parsed = parse_as(source, DevOpsDocument)
    if parsed.document is None:
        return parsed.diagnostics
    sources = tuple(_source(name, each, path.parent) for name, each in parsed.document.sources.items())
    return tuple(_mistaken_secrets(sources, parsed)) or sources


def _source(name: str, document: SourceDocument, folder: Path) -> Source:
    return Source(
        name=name,
        provider=Provider(document.provider),
        secret_files=tuple(folder / file for file in document.secret_files),
        conventions=Conventions(
            services=document.services,
            production=None if document.production is None else tuple(document.production),
            deployments=document.deployments,
            incident_labels=tuple(document.incident_labels),
        ),
    )


def _mistaken_secrets(sources: tuple[Source, ...], parsed: Parsed[DevOpsDocument]) -> Iterator[Diagnostic]:
    assert parsed.tree is not None  # noqa: S101 - there is a document
    for source in sources:
        command = f"write one: {_command(source)}"
        for number, path in enumerate(source.secret_files):
            cure = f"{command} > {path}"
            span = parsed.tree.span(("sources", source.name, "secret_files", number))
            try:
                secret = read_secret(path)
            except FileNotFoundError:
                yield Diagnostic("SLO040", span, f"the secret's file {path} doesn't exist", cure)
                continue
            except UnusableSecret as error:
                yield Diagnostic("SLO006", span, str(error), cure)
                continue
            if not is_usable(secret, ADAPTERS[source.provider].schemes):
                what = f"{path} holds a secret that {source.provider.value} can't use"
                yield Diagnostic("SLO006", span, what, cure)


def _command(source: Source) -> str:
    match source.provider:
        case Provider.GENERIC:
            return _RANDOM_KEY
        case Provider.AZURE_DEVOPS | Provider.JENKINS:
            return f'echo "sereno:$({_RANDOM_TEXT})"'
        case _:
            return _RANDOM_TEXT
