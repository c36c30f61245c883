"""Secrets stand in variables of their own, and in addresses by a placeholder."""

from urllib.parse import quote

from reference_system.settings import Variables

PLACEHOLDER = "{password}"
SHORTEST_KEY = 32
"""Bytes of a key for HS256 (RFC 7518, section 3.2)."""


def read_address(given: Variables, prefix: str, name: str, secret: str, example: str) -> str:
    """The address in the variable `name`, with `{password}` replaced by the variable `secret`."""
    address, password = given.text(name, ""), given.text(secret, "")
    if not address:
        given.wrong(f"{prefix}{name} is not set: write for example {example}")
    if PLACEHOLDER in address and not password:
        given.wrong(f"{prefix}{name} has a {PLACEHOLDER}, but {prefix}{secret} is not set: set it to the password")
    if password and address and PLACEHOLDER not in address:
        given.wrong(f"{prefix}{secret} is set, but {prefix}{name} has no {PLACEHOLDER}: write where it belongs")
    return address.replace(PLACEHOLDER, quote(password, safe=""))


def read_key(given: Variables, prefix: str, name: str) -> str:
    """The key that tokens are signed with; the same for all services."""
    key = given.text(name, "")
    if len(key.encode()) < SHORTEST_KEY:
        given.wrong(f"{prefix}{name} has {len(key.encode())} bytes: set it to a secret of at least {SHORTEST_KEY}")
    return key
