"""The grammar of `teams.yaml`: what may stand in it. What it means is the model's (sereno_alerting.teams.model)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sereno_slo.parse.times import BeginningText, TimeOfDayText, TimezoneName
from sereno_slo.parse.words import DurationText, Name, SloName, mistake

from sereno_alerting.teams.words import Address, Addresses, AlertmanagerVersion, Channel, HostPort, PlainUrl, SecretFile

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class _Mapping(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def version_of_ours(text: str) -> str:
    """The version that our YAML files begin with."""
    if text != "sereno/v1":
        raise mistake("SLO010", f"version {text[:40]!r} is not known", "write version: sereno/v1")
    return text


class PagerDutyDocument(_Mapping):
    """An Events API v2 service of PagerDuty; its escalation policy hands over from person to person."""

    key_file: SecretFile = Field(description="File of the integration key", examples=["pagerduty_payments"])


class SlackDocument(_Mapping):
    """A channel of Slack, or of what takes the same webhooks (Mattermost, Rocket.Chat, …)."""

    url_file: SecretFile = Field(description="File of the webhook's address", examples=["slack_payments"])
    channel: Channel | None = Field(None, examples=["'#payments'"])


class WebhookDocument(_Mapping):
    """Any other receiver of Alertmanager's webhooks."""

    url: PlainUrl | None = Field(None, examples=["https://chat.example.org/hooks/alerts"])
    url_file: SecretFile | None = Field(None, description="Alertmanager 0.26 and newer", examples=["chat_url"])
    token_file: SecretFile | None = Field(None, description="Sent as Authorization: Bearer", examples=["chat_token"])


class TelegramDocument(_Mapping):
    """A chat of Telegram; Alertmanager 0.26 and newer."""

    token_file: SecretFile = Field(description="File of the bot's token", examples=["telegram_token"])
    chat: int = Field(description="Its number", examples=["-1001234567890"])


class WaysDocument(_Mapping):
    """How somebody is told: one way or several, all at once."""

    pagerduty: PagerDutyDocument | None = Field(None, examples=["{key_file: pagerduty_payments}"])
    email: Addresses | None = Field(None, examples=["oncall@example.org"])
    slack: SlackDocument | None = Field(None, examples=["{url_file: slack_payments, channel: '#payments'}"])
    telegram: TelegramDocument | None = Field(None, examples=["{token_file: telegram_token, chat: -1001234567890}"])
    webhook: WebhookDocument | None = Field(None, examples=["{url: https://chat.example.org/hooks/alerts}"])


class AlsoDocument(WaysDocument):
    """Who is told besides; with `after` only if the page is still there by then."""

    after: DurationText | None = Field(None, description="Default: with the page", examples=["15m"])


class PageDocument(WaysDocument):
    """Somebody is woken up."""

    also: AlsoDocument | None = Field(None, examples=["{after: 15m, email: lead@example.org}"])


class HoursDocument(_Mapping):
    """When tickets are told, as the clock on the wall shows it; others wait for the next such time."""

    days: list[Day] = Field(
        ["monday", "tuesday", "wednesday", "thursday", "friday"], min_length=1, examples=[["monday", "tuesday"]]
    )
    start: BeginningText = Field(alias="from", examples=['"09:00"'])
    end: TimeOfDayText = Field(alias="to", examples=['"18:00"'])
    timezone: TimezoneName = Field(examples=["Europe/Madrid"])


class TicketDocument(WaysDocument):
    """Somebody looks at it in the daytime."""

    hours: HoursDocument | None = Field(None, examples=['{from: "09:00", to: "18:00", timezone: Europe/Madrid}'])


class TeamDocument(_Mapping):
    """An owner of specs; what is left out goes to the default."""

    page: PageDocument | None = Field(None, examples=["{pagerduty: {key_file: pagerduty_payments}}"])
    ticket: TicketDocument | None = Field(None, examples=["{email: payments@example.org}"])


class DefaultDocument(TeamDocument):
    """Who is told where nobody else is: unknown owners, teams without receivers of their own."""


class SmtpDocument(_Mapping):
    """The server that sends e-mail."""

    smarthost: HostPort = Field(examples=["smtp.example.org:587"])
    sender: Address = Field(alias="from", examples=["sereno@example.org"])
    username: str | None = Field(None, examples=["sereno@example.org"])
    password_file: SecretFile | None = Field(
        None, description="Without a newline at its end", examples=["smtp_password"]
    )
    require_tls: bool = Field(default=True)


class HeartbeatDocument(_Mapping):
    """The outside service that expects the Watchdog."""

    url: PlainUrl | None = Field(None, examples=["https://heartbeat.example.org/sereno"])
    url_file: SecretFile | None = Field(None, description="Alertmanager 0.26 and newer", examples=["heartbeat_url"])
    token_file: SecretFile | None = Field(
        None, description="Sent as Authorization: Bearer", examples=["heartbeat_token"]
    )


class TeamsDocument(_Mapping):
    """`teams.yaml`: who is told what."""

    version: Annotated[str, AfterValidator(version_of_ours)] = Field(examples=["sereno/v1"])
    alertmanager: AlertmanagerVersion = Field("0.25", description="The oldest that reads the file", examples=['"0.26"'])
    secrets: SecretFile = Field(
        "/etc/alertmanager/secrets",
        description="Folder of secrets that are named without one",
        examples=["/run/secrets"],
    )
    smtp: SmtpDocument | None = Field(None, examples=["{smarthost: smtp.example.org:587, from: sereno@example.org}"])
    heartbeat: HeartbeatDocument | None = Field(None, examples=["{url: https://heartbeat.example.org/sereno}"])
    incidents: PlainUrl = Field(
        "http://127.0.0.1:19093/api/v1/alertmanager",
        description="Where `sereno incidents serve` listens",
        examples=["http://127.0.0.1:19093/api/v1/alertmanager"],
    )
    wait_for_cause: dict[SloName, DurationText] = Field(
        {},
        description="Pages of these SLOs wait so long for what they depend on",
        examples=["{transactions-api/latency: 90s}"],
    )
    default: DefaultDocument = Field(examples=["{page: {…}, ticket: {…}}"])
    teams: dict[Name, TeamDocument] = Field({}, examples=["{payments: {page: {…}, ticket: {…}}}"])
