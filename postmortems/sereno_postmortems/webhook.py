"""Alertmanager's webhook body (version 4): bytes in, a frozen delivery or a list of everything wrong with it out."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sereno_backends.incidents import AlertStatus

WATCHDOG = "Watchdog"
"""The alert that always fires, to prove that the way to the receiver works; it is no incident."""

EARLIEST_YEAR, LATEST_YEAR = 1970, 9000
"""Beyond these a time is a mistake, and arithmetic with it would leave the calendar."""

MOST_PROBLEMS_TOLD = 20


@dataclass(frozen=True, slots=True)
class ReportedAlert:
    """An alert as one delivery reported it."""

    fingerprint: str
    status: AlertStatus
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None
    """Set exactly when the status is resolved; never before `starts_at`."""
    generator_url: str

    @property
    def is_watchdog(self) -> bool:
        """Whether this is the alert that always fires."""
        return self.labels.get("alertname") == WATCHDOG


@dataclass(frozen=True, slots=True)
class Delivery:
    """One accepted webhook body."""

    content_hash: str
    """SHA-256 of the content; the same for a repeated delivery, whatever its spacing and order of keys and alerts."""
    received_at: datetime
    status: AlertStatus
    receiver: str
    group_key: str
    group_labels: Mapping[str, str]
    alerts: tuple[ReportedAlert, ...]
    truncated_alerts: int

    @property
    def is_only_watchdog(self) -> bool:
        """Whether it reports nothing but that the way works."""
        return all(alert.is_watchdog for alert in self.alerts)


@dataclass(frozen=True, slots=True)
class NotJson:
    """The body isn't JSON at all."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotAlertmanager:
    """The body is JSON, but not what Alertmanager's webhook (version 4) sends."""

    problems: tuple[str, ...]
    """Each `where: what`."""


def read_delivery(body: bytes, received_at: datetime) -> Delivery | NotJson | NotAlertmanager:
    """Read one body. Whatever comes in, one of the three values comes out; nothing is raised for a bad body."""
    try:
        webhook = _Webhook.model_validate_json(body)
    except ValidationError as error:
        return _refusal(error)
    alerts = sorted(
        (_reported(alert) for alert in webhook.alerts), key=lambda alert: (alert.fingerprint, alert.starts_at)
    )
    return Delivery(
        content_hash=_content_hash(webhook),
        received_at=received_at,
        status=AlertStatus(webhook.status),
        receiver=webhook.receiver,
        group_key=webhook.group_key,
        group_labels=webhook.group_labels,
        alerts=tuple(alerts),
        truncated_alerts=webhook.truncated_alerts,
    )


def in_calendar(moment: datetime) -> datetime:
    """The moment in UTC.

    Raises:
        ValueError: its year is a mistake.
    """
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(f"a year from {EARLIEST_YEAR} to {LATEST_YEAR} is expected")
    return moment.astimezone(UTC)


def _in_calendar_or_never(moment: datetime) -> datetime | None:
    """Alertmanager writes Go's zero time (year 1) as the end of an alert that fires."""
    return None if moment.year == 1 else in_calendar(moment)


Text = Annotated[str, Field(min_length=1)]


class _Alert(BaseModel):
    model_config = ConfigDict(strict=True)

    status: Literal["firing", "resolved"]
    labels: dict[str, str] = Field(min_length=1)
    annotations: dict[str, str] = Field(default_factory=dict)
    starts_at: Annotated[AwareDatetime, AfterValidator(in_calendar)] = Field(alias="startsAt")
    ends_at: Annotated[AwareDatetime, AfterValidator(_in_calendar_or_never)] | None = Field(
        alias="endsAt", default=None
    )
    generator_url: str = Field(alias="generatorURL", default="")
    fingerprint: Text


class _Webhook(BaseModel):
    """Unknown keys are ignored: newer Alertmanagers may add some."""

    model_config = ConfigDict(strict=True)

    version: Literal["4"]
    status: Literal["firing", "resolved"]
    receiver: Text
    group_key: Text = Field(alias="groupKey")
    group_labels: dict[str, str] = Field(alias="groupLabels")
    truncated_alerts: int = Field(alias="truncatedAlerts", default=0, ge=0, le=2**31)
    alerts: list[_Alert] = Field(min_length=1)


def _reported(alert: _Alert) -> ReportedAlert:
    """A resolved alert ends when Alertmanager says, or where it began if the clocks disagree or it says nothing."""
    ends_at = None
    if alert.status == "resolved":
        ends_at = max(alert.starts_at, alert.ends_at or alert.starts_at)
    return ReportedAlert(
        fingerprint=alert.fingerprint,
        status=AlertStatus(alert.status),
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at=alert.starts_at,
        ends_at=ends_at,
        generator_url=alert.generator_url,
    )


def _content_hash(webhook: _Webhook) -> str:
    content = webhook.model_dump(mode="json", by_alias=True)
    content["alerts"].sort(key=lambda alert: json.dumps(alert, sort_keys=True))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _refusal(error: ValidationError) -> NotJson | NotAlertmanager:
    problems = problems_of(error)
    return problems if isinstance(problems, NotJson) else NotAlertmanager(problems)


def problems_of(error: ValidationError) -> NotJson | tuple[str, ...]:
    """Pydantic's findings without its web links and without repeating the body's content."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    if any(problem["type"] == "json_invalid" for problem in problems):
        return NotJson(problems[0]["msg"])
    told = [f"{'.'.join(map(str, p['loc'])) or 'body'}: {p['msg']}" for p in problems[:MOST_PROBLEMS_TOLD]]
    if len(problems) > MOST_PROBLEMS_TOLD:
        told.append(f"and {len(problems) - MOST_PROBLEMS_TOLD} more")
    return tuple(told)
