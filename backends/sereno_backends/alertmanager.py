"""Alertmanager's HTTP API, as far as somebody asks it here: what is silenced."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from sereno_backends.addresses import AddressInvalid, http_address, is_loopback, without_credentials


class AlertmanagerUnreachable(Exception):  # noqa: N818 - reads as what happened
    """It didn't answer as an Alertmanager does; the message names the place and the cause, without credentials."""


class AlertmanagerAddressInvalid(AlertmanagerUnreachable):
    """The address can't be that of an Alertmanager; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence that holds now."""

    silence_id: str
    matchers: str
    """As Alertmanager's own page writes them: `{service="shop", slo=~"a.*"}`."""
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str


def active_silences(url: str, *, timeout_seconds: float = 10.0) -> tuple[Silence, ...]:
    """The silences that hold now, the one that ends first first.

    Raises:
        AlertmanagerAddressInvalid: nothing can be reached by such an address.
        AlertmanagerUnreachable: it can't be asked, or answers something else.
    """
    try:
        address = http_address(url, of="Alertmanager's", example="http://127.0.0.1:9093")
    except AddressInvalid as error:
        raise AlertmanagerAddressInvalid(str(error)) from error
    name = f"Alertmanager {without_credentials(address).rstrip('/')}"
    path = f"{str(address).rstrip('/')}/api/v2/silences"
    try:
        answer = httpx.get(path, timeout=timeout_seconds, trust_env=not is_loopback(address.host))
        answer.raise_for_status()
        found = [_silence(one) for one in answer.json() if one["status"]["state"] == "active"]
    except httpx.HTTPStatusError as error:
        raise AlertmanagerUnreachable(f"{name} answered HTTP {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise AlertmanagerUnreachable(f"{name} can't be asked: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AlertmanagerUnreachable(f"{name} doesn't answer as an Alertmanager: {type(error).__name__}") from error
    return tuple(sorted(found, key=lambda one: (one.ends_at, one.silence_id)))


def _silence(told: Mapping[str, Any]) -> Silence:
    return Silence(
        silence_id=str(told["id"]),
        matchers="{" + ", ".join(_matcher(one) for one in told["matchers"]) + "}",
        starts_at=datetime.fromisoformat(told["startsAt"]),
        ends_at=datetime.fromisoformat(told["endsAt"]),
        created_by=str(told.get("createdBy", "")),
        comment=str(told.get("comment", "")),
    )


def _matcher(told: Mapping[str, Any]) -> str:
    is_equal = told.get("isEqual", True)  # missing before Alertmanager 0.22
    sign = {(True, False): "=", (True, True): "=~", (False, False): "!=", (False, True): "!~"}[
        bool(is_equal), bool(told["isRegex"])
    ]
    value = str(told["value"]).replace("\\", "\\\\").replace('"', '\\"')
    return f'{told["name"]}{sign}"{value}"'
