"""Sereno's own form, for whatever has no translator: docs/devops.md. Signed by Standard Webhooks."""

import difflib
from collections.abc import Sequence
from dataclasses import MISSING, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar, get_args, get_origin

from sereno_backends.devops import (
    Commit,
    Deployment,
    EventKind,
    IncidentEvent,
    Pipeline,
    Provider,
    PullRequest,
    Subject,
)

from sereno_collectors.devops.adapter import ProviderAdapter
from sereno_collectors.devops.authentication import StandardWebhooks
from sereno_collectors.devops.model import Conventions, Fact, Ignored, Message
from sereno_collectors.devops.reading import LONGEST_SHOWN, Misfit, Reader

VERSION: Final = "sereno/v1"
MOST_EVENTS: Final = 10_000
LARGEST_NUMBER: Final = 2**31
_ENVELOPE: Final = ("kind", "repository", "occurred_at")
_SUBJECTS: Final[dict[EventKind, type[Subject]]] = {
    EventKind.COMMIT: Commit,
    EventKind.PULL_REQUEST: PullRequest,
    EventKind.PIPELINE: Pipeline,
    EventKind.DEPLOYMENT: Deployment,
    EventKind.INCIDENT: IncidentEvent,
}


def _events(body: Reader, conventions: Conventions) -> tuple[Fact, ...] | Ignored:
    if body.at("version").value != VERSION:
        raise body.at("version").misfit(VERSION)
    events = body.each("events")
    if len(events) > MOST_EVENTS:
        raise body.at("events").misfit(f"a list of at most {MOST_EVENTS}")
    return tuple(_fact(event, conventions) for event in events) or Ignored("no events")


def _fact(event: Reader, conventions: Conventions) -> Fact:
    kind = _one_of(event.at("kind"), EventKind)
    place = event.at(kind.value)
    if not isinstance(place.value, dict):
        raise place.misfit("an object")
    _refuse_others(event, [*_ENVELOPE, kind.value])
    subject = _SUBJECTS[kind]
    _refuse_others(place, [field.name for field in fields(subject)])
    told: dict[str, Any] = {}
    for field in fields(subject):
        if field.name == "is_production":
            told[field.name] = conventions.is_production(place.text("environment"), place.flag_or_none(field.name))
        elif place.at(field.name) or (field.default is MISSING and field.default_factory is MISSING):
            told[field.name] = _field(place, field.name, field.type)
    return Fact(event.text("repository"), event.time("occurred_at"), subject(**told))


def _refuse_others(place: Reader, known: Sequence[str]) -> None:
    """A misspelt field would be a fact that is silently missing."""
    for strange in sorted(set(place.value) - set(known)):
        near = difflib.get_close_matches(strange, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise Misfit(f"{place.path}: no field is called {strange[:LONGEST_SHOWN]!r} ({hint})")


def _field(place: Reader, name: str, kind: Any) -> Any:
    """The value of a field, read as what the schema says that it is."""
    kinds = get_args(kind) or (kind,)
    if get_origin(kind) is tuple:
        return tuple(_whole_text(one) for one in place.each(name))
    if datetime in kinds:
        return place.time(name)
    for wanted, words in ((bool, "true or false"), (int, "a whole number from 0")):
        if wanted in kinds:
            value = place.at(name).value
            if type(value) is not wanted or not 0 <= value < LARGEST_NUMBER:
                raise place.at(name).misfit(words)
            return value
    for choices in kinds:
        if issubclass(choices, StrEnum):
            return _one_of(place.at(name), choices)
    return place.text(name)


def _whole_text(place: Reader) -> str:
    if not isinstance(place.value, str) or not place.value:
        raise place.misfit("a text")
    return place.value


Choice = TypeVar("Choice", bound=StrEnum)


def _one_of(place: Reader, choices: type[Choice]) -> Choice:
    try:
        return choices(place.value)
    except ValueError:
        raise place.misfit(f"one of {', '.join(choices)}") from None


def _event_type(message: Message) -> str:
    """Always the same: what has another version is kept for a Sereno that knows it."""
    return "events" if isinstance(message.document, dict) else ""


ADAPTER: Final = ProviderAdapter(
    provider=Provider.GENERIC,
    schemes=(StandardWebhooks(),),
    event_type=_event_type,
    delivery_id=lambda message: message.headers.get("webhook-id"),
    translators={"events": _events},
)
