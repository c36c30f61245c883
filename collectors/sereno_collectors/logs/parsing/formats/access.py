"""Access lines of nginx and Apache: `10.0.0.7 - bob [25/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5`."""

import re
from ipaddress import ip_address
from typing import Any

from sereno_collectors.logs.parsing.formats.times import MONTH, moment_of
from sereno_collectors.logs.parsing.formats.values import ReadingContext, Recognised

_QUOTED = r'"(?P<{0}>[^"\\]*(?:\\.[^"\\]*)*)"'
_ACCESS = re.compile(
    r"(?:(?P<site>[\w.\-]{1,255}:\d{1,5}) )?"  # Apache's vhost_combined
    r"(?P<client>[^\s\[\"]{1,255}) (?P<ident>[^\s\[\"]{1,255}) (?P<user>[^\[\"]{1,255}) "
    rf"\[(?P<day>\d\d)/{MONTH}/(?P<year>\d{{4}}):(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?P<zone> [+-]\d{4})\] "
    rf"{_QUOTED.format('request')} (?P<status>\d{{3}}) (?P<bytes>\d{{1,18}}|-)"
    rf"(?: {_QUOTED.format('referrer')} {_QUOTED.format('agent')})?",
    re.ASCII,
)
_REQUEST = re.compile(r"(?P<method>[A-Z]{1,20}) (?P<target>\S+)(?: HTTP/(?P<version>\d(?:\.\d)?))?", re.ASCII)
_MOST_HOST_CHARACTERS = 64


def recognise_access(text: str, context: ReadingContext) -> Recognised | None:
    """An access line in the common or combined format; further columns behind it stay in the original only.

    The level is made of the status: error from 500, warning from 400, else info.
    """
    match = _ACCESS.match(text)
    if match is None:
        return None
    moment = moment_of(match, context)
    if moment is None:
        return None
    status = int(match["status"])
    fields: dict[str, Any] = {
        "message": f"{match['request']} {status}",
        "log.level": "error" if status >= 500 else "warning" if status >= 400 else "info",  # noqa: PLR2004 - RFC 9110
        "http.response.status_code": status,
        **client_fields(match["client"]),
        **request_fields(match["request"]),
    }
    if match["bytes"] != "-":
        fields["http.response.body.bytes"] = int(match["bytes"])
    said = {
        "user.name": match["user"],
        "http.request.referrer": match["referrer"],
        "user_agent.original": match["agent"],
        "url.domain": (match["site"] or "").partition(":")[0],
    }
    return Recognised(fields | {name: value for name, value in said.items() if value and value != "-"}, moment)


def client_fields(client: str) -> dict[str, str]:
    """`source.ip` where it is an address; a name is `source.address`."""
    try:
        if len(client) <= _MOST_HOST_CHARACTERS:
            return {"source.ip": str(ip_address(client)), "source.address": client}
    except ValueError:
        pass
    return {"source.address": client}


def request_fields(request: str) -> dict[str, str]:
    """Method, path, query and version of a request line; nothing of what is no request."""
    match = _REQUEST.fullmatch(request)
    if match is None:
        return {}
    target = match["target"]
    path, _, query = target.partition("?")
    said = {
        "http.request.method": match["method"],
        "http.version": match["version"],
        "url.original": target,
        "url.path": path if path.startswith("/") else "",
        "url.query": query.partition("#")[0],
    }
    return {name: value for name, value in said.items() if value}
