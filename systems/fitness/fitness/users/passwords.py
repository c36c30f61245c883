"""Passwords are kept as scrypt hashes."""

import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor

# A sixteenth of what OWASP advises for log-ins: load generators log in twice a second on a laptop that runs all else.
_COST, _BLOCK, _LANES = 2**13, 8, 1
_SALT_BYTES = 16
# A hash takes 8 MB, and the C library keeps them for each thread that has made one: the API has forty.
_HASHERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="hashing")


def hashed(password: str) -> str:
    """Salt and hash, in hexadecimal."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"{salt.hex()}${_hash(password, salt).hex()}"


def matches(password: str, kept: str) -> bool:
    """Whether this is the password that `hashed` was given."""
    salt, _, expected = kept.partition("$")
    return hmac.compare_digest(_hash(password, bytes.fromhex(salt)).hex(), expected)


def _hash(password: str, salt: bytes) -> bytes:
    return _HASHERS.submit(hashlib.scrypt, password.encode(), salt=salt, n=_COST, r=_BLOCK, p=_LANES).result()
