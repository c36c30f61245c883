"""Who knows a name and its password, by bcrypt hashes that may change while a server runs."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from threading import Lock

import bcrypt

_REMEMBERED = 100

Login = tuple[str, bytes]
"""A name and a password, as somebody claims them."""


class Passwords:
    """Checks logins. Safe for several threads; one is at bcrypt at a time.

    As in Prometheus: strangers who guess keep one core busy, and none of the threads that others need.

    Args:
        users: names and bcrypt hashes, as of now; asked for each login. Empty: nobody has to log in.
    """

    def __init__(self, users: Callable[[], Mapping[str, str]]) -> None:
        self._users = users
        self._known: set[bytes] = set()
        self._checking = Lock()

    @property
    def are_asked(self) -> bool:
        """Whether somebody has to log in now."""
        return bool(self._users())

    def admits(self, authorization: bytes) -> bool:
        """Whether a request with this header (empty: without it) may go on."""
        if not self.are_asked:
            return True
        login = login_of(authorization)
        return login is not None and self.knows(login)

    def knows(self, login: Login) -> bool:
        """Whether the password is the name's; takes a tenth of a second of CPU where it wasn't asked before."""
        found = self._looked_up(login)
        return found if found is not None else self._checked(login)

    def remembers(self, login: Login) -> bool:
        """Whether it was right before, and still is: told at once."""
        return self._looked_up(login) is True

    def _looked_up(self, login: Login) -> bool | None:
        users = self._users()
        if not users:
            return False  # the last one was taken away meanwhile
        return login[0] in users if _key(login, _hash_for(users, login[0])) in self._known else None

    def _checked(self, login: Login) -> bool:
        # bcrypt takes a tenth of a second by design: a password is checked once, not at each scrape. What is remembered
        # is a digest of name, password and hash: a changed hash is a new question. Wrong ones are forgotten: guesses
        # must not push out what is right.
        users = self._users()
        if not users:
            return False
        name, password = login
        hashed = _hash_for(users, name)
        with self._checking:
            is_right = _matches(password, hashed) and name in users
            if is_right:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known.add(_key(login, hashed))
        return is_right


def login_of(header: bytes) -> Login | None:
    """The login in an Authorization header; None where it has none."""
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon and b"\0" not in password else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _matches(password: bytes, hashed: str) -> bool:
    # Longer ones are cut, as bcrypt always did and Prometheus does; the library itself refuses them.
    return bcrypt.checkpw(password[:72], hashed.encode())


def _hash_for(users: Mapping[str, str], name: str) -> str:
    """For unknown names a hash like the others, so that the time taken doesn't tell which names there are."""
    return users.get(name) or next(iter(users.values()))


def _key(login: Login, hashed: str) -> bytes:
    return hashlib.sha256(b"\0".join((login[0].encode(), login[1], hashed.encode()))).digest()
