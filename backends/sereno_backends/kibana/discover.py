"""Addresses of Kibana's Discover that show what a `LogQuery` asks for; pure.

The form is that of Kibana 7.11 to 8.x: `/app/discover#/?_g=(…)&_a=(…)`, with the data view by its id as `index`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

from sereno_backends.kibana.rison import Rison, in_address
from sereno_backends.logs.dead_letters import DATASET
from sereno_backends.logs.model import LogQuery
from sereno_backends.logs.words import words

KIBANA_URL = "SERENO_KIBANA_URL"
KIBANA_DATA_VIEW = "SERENO_KIBANA_DATA_VIEW"
DEFAULT_DATA_VIEW = "logs-*"
"""The id of the data view that Elastic's own integrations make for log data streams."""

_NO_DEAD_LETTERS = f'not event.dataset: "{DATASET}"'
_COLUMNS = ("log.level", "service.name", "message")
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class KibanaAddressError(Exception):
    """The address can't be Kibana's; the message says why and what to write."""


@dataclass(frozen=True, slots=True)
class Kibana:
    """Where links lead."""

    url: str
    """`https://kibana.example.org`, with `/s/<space>` for a space; without a slash at its end, without credentials."""
    data_view: str = DEFAULT_DATA_VIEW
    """The id of the data view; Kibana shows its default one, with a warning, where it doesn't know this one."""


def kibana_of(environment: Mapping[str, str]) -> Kibana | None:
    """The Kibana that `SERENO_KIBANA_URL` and `SERENO_KIBANA_DATA_VIEW` name; None where the first is not set.

    Raises:
        KibanaAddressError: the address is none.
    """
    given = environment.get(KIBANA_URL, "").strip()
    if not given:
        return None
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise KibanaAddressError(f"{KIBANA_URL}: {error}; write https://kibana.example.org") from error
    if parts.scheme not in {"http", "https"} or not host or any(sign.isspace() for sign in given):
        raise KibanaAddressError(f"{KIBANA_URL} is no http(s) address; write https://kibana.example.org")
    bare = f"[{host}]" if ":" in host else host
    place = bare if port is None else f"{bare}:{port}"
    url = urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
    return Kibana(url, environment.get(KIBANA_DATA_VIEW, "").strip() or DEFAULT_DATA_VIEW)


def discover_url(kibana: Kibana, query: LogQuery) -> str:
    """The address of Discover with the query's window and conditions, newest first.

    The window is widened to milliseconds, which is what Kibana knows; its end is included there. Dead letters, which a
    data view of all logs has among the others, are left out as searches leave them out.
    """
    shown: Rison = {
        "filters": [],
        "refreshInterval": {"pause": True, "value": 60_000},
        "time": {"from": _iso(query.start), "to": _iso(query.end + _MILLISECOND - timedelta(microseconds=1))},
    }
    asked: Rison = {
        "columns": _COLUMNS,
        "filters": [],
        "index": kibana.data_view,
        "interval": "auto",
        "query": {"language": "kuery", "query": " and ".join(filter(None, (kql(query), _NO_DEAD_LETTERS)))},
        "sort": [["@timestamp", "desc"]],
    }
    return f"{kibana.url}/app/discover#/?_g={in_address(shown)}&_a={in_address(asked)}"


def kql(query: LogQuery) -> str:
    """The conditions of a query, its window apart, in the Kibana Query Language; empty where there are none."""
    conditions = [
        _any_of(field, values)
        for field, values in (
            ("service.name", query.services),
            ("log.level", query.levels),
            ("event.action", query.actions),
            ("trace.id", () if query.trace_id is None else (query.trace_id,)),
            ("service.node.name", () if query.source is None else (query.source,)),
        )
        if values
    ]
    if query.sequences is not None:
        first, last = query.sequences
        conditions += [f"event.sequence >= {first}", f"event.sequence <= {last}"]
    # The words that our writer found, as `sereno logs search` looks for them; other shippers' documents have none.
    conditions += [f"(sereno.words: {_quoted(word)} or message: {_quoted(word)})" for word in words(query.text or "")]
    return " and ".join(conditions)


def _any_of(field: str, values: tuple[str, ...]) -> str:
    listed = " or ".join(map(_quoted, values))
    return f"{field}: {listed}" if len(values) == 1 else f"{field}: ({listed})"


def _quoted(text: str) -> str:
    r"""A text that KQL takes literally: within quotes only `\` and `"` mean something; controls become blanks."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _iso(moment: datetime) -> str:
    whole = _EPOCH + (moment - _EPOCH) // _MILLISECOND * _MILLISECOND
    return whole.isoformat(timespec="milliseconds").replace("+00:00", "Z")
