"""What the routes of the receiver have in common: bodies of bounded size, refusals in one form, who may write."""

import asyncio
import difflib
from enum import StrEnum

from fastapi import Request, Response
from sereno_backends.inert_json import InertJson
from sereno_backends.serving.own_names import is_this_machine, name_asked
from starlette.requests import ClientDisconnect

from sereno_postmortems.store import IncidentStore

LARGEST_BODY_BYTES = 1024 * 1024
"""Some thousand alerts; Alertmanager's own `max_alerts` keeps its deliveries below."""

BODY_SECONDS = 10.0
"""How long a body may take to come: Alertmanager and browsers send theirs at once."""
NEAREST_IDS = 3


class Unread(StrEnum):
    """Why a body isn't taken."""

    FOREIGN_ORIGIN = "foreign_origin"
    BROKEN_OFF = "broken_off"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"


async def body_of(request: Request) -> bytes | Unread:
    """The body, read no further than it may be large, whatever its Content-Length says, and as long as it may take."""
    if is_foreign_page(request):
        return Unread.FOREIGN_ORIGIN
    chunks = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > LARGEST_BODY_BYTES:
                    return Unread.TOO_LARGE
    except TimeoutError:
        return Unread.TOO_SLOW
    except ClientDisconnect:
        return Unread.BROKEN_OFF
    return bytes(chunks)


def refusal(why: Unread, cure: str) -> Response:
    """The answer to a body that isn't taken; `cure` says how to send less."""
    match why:
        case Unread.FOREIGN_ORIGIN:
            return error_answer(403, "web pages of another origin may not post here")
        case Unread.BROKEN_OFF:
            return error_answer(400, "the connection ended before the body did")
        case Unread.TOO_SLOW:
            return error_answer(408, f"the body didn't come within {BODY_SECONDS:g} s")
        case Unread.TOO_LARGE:
            return error_answer(413, f"the body is larger than {LARGEST_BODY_BYTES} bytes; {cure}")


def is_foreign_page(request: Request) -> bool:
    """Only browsers send Origin. The receiver trusts its network (loopback by default), not pages that visit it."""
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def is_from_here(request: Request) -> bool:
    """Whether a program of this machine asks, under a name of this machine.

    The name is looked at, too: a web page whose own name was made to lead here comes from here, under that name.
    """
    client = request.client.host if request.client else ""
    return is_this_machine(client) and is_this_machine(name_asked(request.scope))


def error_answer(status_code: int, message: str, problems: tuple[str, ...] = ()) -> Response:
    """A refusal in the one form that all have."""
    return InertJson({"error": message} | ({"problems": problems} if problems else {}), status_code=status_code)


def no_such_incident(store: IncidentStore, incident_id: str) -> Response:
    """404 with the ids that look like it."""
    return InertJson({"error": "no incident of that id", "nearest": nearest_ids(store, incident_id)}, status_code=404)


def nearest_ids(store: IncidentStore, incident_id: str) -> list[str]:
    """Ids of incidents that look like this one."""
    known = [found.incident_id for found in store.incidents()]
    return difflib.get_close_matches(incident_id, known, n=NEAREST_IDS, cutoff=0.3)
