"""What a team file means: frozen values that the configuration is written from."""

from dataclasses import dataclass

from sereno_slo.diagnostics import Span
from sereno_slo.model import SloReference


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """A service of PagerDuty."""

    key_file: str


@dataclass(frozen=True, slots=True)
class Email:
    """One message to all of these addresses."""

    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slack:
    """A channel; None: the webhook's own."""

    url_file: str
    channel: str | None


@dataclass(frozen=True, slots=True)
class Telegram:
    """A chat."""

    token_file: str
    chat: int


@dataclass(frozen=True, slots=True)
class Webhook:
    """Either `url` or `url_file` is set."""

    url: str | None
    url_file: str | None
    token_file: str | None


Way = PagerDuty | Email | Slack | Telegram | Webhook


@dataclass(frozen=True, slots=True)
class Hours:
    """Business hours of some days; times are `09:00`, on the wall of the time zone."""

    days: tuple[str, ...]
    start: str
    end: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Also:
    """Who is told besides; `after` is a duration, None: with the page."""

    ways: tuple[Way, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Who is woken up."""

    ways: tuple[Way, ...]
    also: Also | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who looks at it in the daytime."""

    ways: tuple[Way, ...]
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """An owner; None: the default's."""

    name: str
    page: Page | None
    ticket: Ticket | None


@dataclass(frozen=True, slots=True)
class Smtp:
    """The server that sends e-mail."""

    smarthost: str
    sender: str
    username: str | None
    password_file: str | None
    require_tls: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """An SLO whose pages wait for what it depends on; `wait` is a duration."""

    slo: SloReference
    wait: str
    span: Span


@dataclass(frozen=True, slots=True)
class Teams:
    """Who is told what. Files of secrets are whole paths."""

    page: Page
    """The default's."""
    ticket: Ticket
    teams: tuple[Team, ...]
    """In the file's order."""
    smtp: Smtp | None
    heartbeat: Webhook | None
    incidents: str
    source: str
    """The file's name for headers."""
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner that a spec names, and where."""

    name: str
    span: Span
