"""What loggers call the five levels of ECS documents here."""

from typing import Final

LEVELS: Final = {
    "alert": "critical",
    "crit": "critical",
    "critical": "critical",
    "debug": "debug",
    "debug1": "debug",
    "debug2": "debug",
    "debug3": "debug",
    "debug4": "debug",
    "debug5": "debug",
    "dpanic": "critical",
    "emerg": "critical",
    "emergency": "critical",
    "err": "error",
    "error": "error",
    "fatal": "critical",
    "info": "info",
    "information": "info",
    "log": "info",
    "notice": "info",
    "panic": "critical",
    "severe": "error",
    "success": "info",
    "trace": "debug",
    "verbose": "debug",
    "warn": "warning",
    "warning": "warning",
}

SYSLOG_LEVELS: Final = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")
"""By severity, RFC 5424 section 6.2.1: 0 emergency to 7 debug."""

NUMBERED_LEVELS: Final = {10: "debug", 20: "debug", 30: "info", 40: "warning", 50: "error", 60: "critical"}
"""Of pino and bunyan; Python's own numbers are others, and no formatter writes them as `level`."""

WORDS: Final = (
    r"TRACE|DEBUG[1-5]?|INFO(?:RMATION)?|NOTICE|WARN(?:ING)?|ERR(?:OR)?|CRIT(?:ICAL)?|ALERT|EMERG(?:ENCY)?|FATAL|PANIC"
    r"|SEVERE|SUCCESS"
)
"""For patterns: words that are levels where a text has them in capitals, or in brackets."""


def level_of(text: str) -> str | None:
    """The level that a word is; None when it is none."""
    return LEVELS.get(text.strip().lower()) if len(text) <= 16 else None  # noqa: PLR2004 - longer than any word here
