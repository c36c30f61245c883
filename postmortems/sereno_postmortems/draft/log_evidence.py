"""What the logs of the incident's time tell: deeds, the most frequent errors, the first error."""

from dataclasses import dataclass

from sereno_backends.logs import LogQuery, LogRecord, MessageCount
from sereno_backends.logs.message_groups import MessageGroup, grouped

from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, derived, derived2
from sereno_postmortems.draft.logs_source import Logs
from sereno_postmortems.draft.windows import Window, Windows

DEEDS = ("fault_started", "fault_stopped", "deployment")
ERROR_LEVELS = ("error", "critical", "fatal")
MOST_MESSAGES = 10
MOST_DEEDS = 200
COMPARED_MESSAGES = 500
"""Different messages of a window that are asked for, before those of one kind are taken together."""
PAGE = 100


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """One frequent kind of error message of the incident's time: messages of one fingerprint and level."""

    told: MessageGroup
    usual_count: int | None
    """How often it came in the baseline window; None if that isn't known."""

    @property
    def is_new(self) -> bool:
        """Whether it never came in the baseline window."""
        return self.usual_count == 0


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """What the log store answered for the evidence window."""

    services: tuple[str, ...]
    """Whose errors were searched; empty means everybody's."""
    deeds: Fact[tuple[LogRecord, ...]]
    """Of every service: another one's deployment may be the cause. The newest `MOST_DEEDS`."""
    deed_count: Fact[int]
    error_count: Fact[int]
    errors: Fact[tuple[ErrorMessage, ...]]
    """The most frequent kinds, most frequent first."""
    are_errors_complete: bool
    """Whether every different message was among the answers; if not, counts of kinds are lower bounds."""
    errors_link: str | None
    """The address of Kibana that shows the errors of the window."""
    first_error: Fact[LogRecord | None]


def ask_logs(logs: Logs, services: tuple[str, ...], windows: Windows) -> LogEvidence:
    """Ask the log store."""
    deeds = _query(windows.evidence, actions=DEEDS, limit=MOST_DEEDS)
    errors = _query(windows.evidence, services=services, levels=ERROR_LEVELS, limit=COMPARED_MESSAGES)
    usual = _query(windows.baseline, services=services, levels=ERROR_LEVELS, limit=COMPARED_MESSAGES)
    frequent = logs.top_messages(errors)
    return LogEvidence(
        services=services,
        deeds=logs.search(deeds),
        deed_count=logs.count(deeds),
        error_count=logs.count(errors),
        errors=_compared(frequent, logs.top_messages(usual)),
        are_errors_complete=not isinstance(frequent, Measured) or len(frequent.value) < COMPARED_MESSAGES,
        errors_link=logs.link(errors),
        first_error=logs.first(_query(windows.evidence, services=services, levels=ERROR_LEVELS, limit=PAGE)),
    )


def error_in_words(told: MessageGroup) -> str:
    """The message; where different ones were taken together, what they have in common, and how many they are."""
    if told.different_messages == 1:
        return told.message
    return f"{told.fingerprint.template} ({told.different_messages} different messages)"


def _query(
    window: Window,
    *,
    services: tuple[str, ...] = (),
    levels: tuple[str, ...] = (),
    actions: tuple[str, ...] = (),
    limit: int,
) -> LogQuery:
    return LogQuery(start=window.start, end=window.end, services=services, levels=levels, actions=actions, limit=limit)


def _compared(
    errors: Fact[tuple[MessageCount, ...]], usual: Fact[tuple[MessageCount, ...]]
) -> Fact[tuple[ErrorMessage, ...]]:
    def frequent(told: tuple[MessageCount, ...]) -> tuple[MessageGroup, ...]:
        return grouped(told)[:MOST_MESSAGES]

    if isinstance(usual, NotMeasured):
        return derived(lambda told: tuple(ErrorMessage(one, None) for one in frequent(told)), errors)
    before = {(one.level, one.fingerprint): one.count for one in grouped(usual.value)}
    is_all = len(usual.value) < COMPARED_MESSAGES

    def compare(told: tuple[MessageCount, ...], _: tuple[MessageCount, ...]) -> tuple[ErrorMessage, ...]:
        return tuple(
            ErrorMessage(one, before.get((one.level, one.fingerprint), 0 if is_all else None)) for one in frequent(told)
        )

    return derived2(compare, errors, Measured(usual.value, usual.sources))
