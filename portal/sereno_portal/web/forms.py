"""Forms that only somebody can send to whom they were shown, and a body that isn't larger than a form."""

import hmac
import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request, Response

TOKEN = "token"  # noqa: S105 - the field's name
MOST_FIELDS = 40
_COOKIE = "sereno_form"
_NONCE = re.compile(r"[A-Za-z0-9_-]{32}")


class Forms:
    """Seals forms for as long as the process lives.

    The token in a form is made of the browser's cookie, the user and the form's own name: of another browser, another
    user or another form it is worth nothing.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def nonce(self, request: Request) -> str:
        """The browser's own; a new one where it has none."""
        known = request.cookies.get(_COOKIE, "")
        return known if _NONCE.fullmatch(known) else secrets.token_urlsafe(24)

    def token(self, nonce: str, user: str | None, form: str) -> str:
        """What stands in the form's field `token`."""
        sealed = "\0".join((nonce, user or "", form)).encode()
        return hmac.new(self._secret, sealed, "sha256").hexdigest()

    def is_genuine(self, request: Request, user: str | None, form: str, token: str) -> bool:
        """Whether we have shown this form to this user in this browser."""
        nonce = request.cookies.get(_COOKIE, "")
        return hmac.compare_digest(self.token(nonce, user, form).encode(), token.encode(errors="replace"))

    def remember(self, request: Request, response: Response, nonce: str) -> None:
        """Send the cookie with the page that shows the form."""
        if request.cookies.get(_COOKIE) != nonce:
            secure = request.url.scheme == "https"
            response.set_cookie(_COOKIE, nonce, httponly=True, samesite="lax", secure=secure)


def fields_of(body: bytes) -> Mapping[str, str]:
    """The fields of a form as browsers send it; of several with one name the first. Empty where it is no form."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        return {}
    return dict(reversed(pairs))
