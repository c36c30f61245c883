"""Lines of syslog as daemons send them (RFC 3164, RFC 5424) and as rsyslog's omfile writes them."""

import re
from datetime import datetime
from typing import Any

from sereno_collectors.logs.parsing.formats.levels import SYSLOG_LEVELS, WORDS
from sereno_collectors.logs.parsing.formats.times import ISO, MONTH, moment_of, moment_without_year
from sereno_collectors.logs.parsing.formats.values import ReadingContext, Recognised

MOST_PRIORITY = 191
_PRIORITY = r"<(?P<priority>\d{1,3})>"
_HOST = r"(?P<host>[\w.:\-]{1,255})"
_TAG = r"(?P<tag>[\w./@()\-]{1,128})(?:\[(?P<pid>[\w.\-]{1,32})\]:?|:)(?: |$)"
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"

_RFC_5424 = re.compile(
    rf"{_PRIORITY}1 (?:-|{ISO}) (?P<host>\S{{1,255}}) (?P<tag>\S{{1,128}}) (?P<pid>\S{{1,128}}) (?P<id>\S{{1,128}}) "
    r'(?P<data>-|(?:\[(?:[^\]"\\]|\\.|"(?:[^"\\]|\\.)*")*\])+)(?: |$)',
    re.ASCII,
)
_RFC_3164 = re.compile(rf"(?:{_PRIORITY})?{MONTH} (?P<day>[ \d]\d) {_CLOCK} {_HOST} {_TAG}", re.ASCII)
_FILE_FORMAT = re.compile(rf"(?:{_PRIORITY})?{ISO} (?!(?:{WORDS})\b){_HOST} {_TAG}", re.ASCII)
"""rsyslog's RSYSLOG_FileFormat, and its default since Debian 12: the time of RFC 3339, host, tag."""


def recognise_syslog(text: str, context: ReadingContext, *, unmistakable: bool = False) -> Recognised | None:
    """A syslog line.

    Args:
        text: the event.
        context: gives the year to RFC 3164 times.
        unmistakable: leave what could be an application's own line: an ISO time, a word and a name without a number.
    """
    match = _RFC_5424.match(text)
    if match is not None:
        said = _said(match, text[match.end() :].removeprefix("\ufeff"), msgid=match["id"], data=match["data"])
        return None if said is None else Recognised(said, moment_of(match, context) if match["year"] else None)
    match = _RFC_3164.match(text)
    if match is not None:
        return _timed(_said(match, text[match.end() :]), moment_without_year(match, context))
    match = _FILE_FORMAT.match(text)
    if match is None or (unmistakable and not ((match["pid"] or match["priority"]) and match["zone"])):
        return None
    return _timed(_said(match, text[match.end() :]), moment_of(match, context))


def _timed(fields: dict[str, Any] | None, moment: datetime | None) -> Recognised | None:
    return None if fields is None or moment is None else Recognised(fields, moment)


def _said(match: re.Match[str], message: str, *, msgid: str = "-", data: str = "-") -> dict[str, Any] | None:
    """The fields of a line; None where its priority is none."""
    fields: dict[str, Any] = {"message": message}
    if match["priority"]:
        priority = int(match["priority"])
        if priority > MOST_PRIORITY:
            return None
        facility, severity = divmod(priority, 8)
        fields |= {
            "log.level": SYSLOG_LEVELS[severity],
            "log.syslog.priority": priority,
            "log.syslog.facility.code": facility,
            "log.syslog.severity.code": severity,
        }
    pid = match["pid"] or "-"
    if pid.isdigit() and len(pid) <= 10:  # noqa: PLR2004 - no process has a longer number
        fields["process.pid"] = int(pid)
    said = {
        "host.name": match["host"],
        "process.name": match["tag"],
        "log.syslog.appname": match["tag"],
        "log.syslog.procid": pid,
        "log.syslog.msgid": msgid,
        "sd": data,
    }
    return fields | {name: value for name, value in said.items() if value != "-"}
