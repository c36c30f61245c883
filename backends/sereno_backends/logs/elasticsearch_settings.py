"""How Elasticsearch is to be reached, as addresses and environment say it; checked before anything is contacted."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from sereno_backends.logs.model import LogStoreRefused

API_KEY_FILE = "SERENO_ELASTICSEARCH_API_KEY_FILE"
USERNAME_FILE = "SERENO_ELASTICSEARCH_USERNAME_FILE"
PASSWORD_FILE = "SERENO_ELASTICSEARCH_PASSWORD_FILE"  # noqa: S105 - the name of a variable
CA_FILE = "SERENO_ELASTICSEARCH_CA_FILE"
CA_FINGERPRINT = "SERENO_ELASTICSEARCH_CA_FINGERPRINT"
COMPRESSION = "SERENO_ELASTICSEARCH_COMPRESSION"
DEFAULT_PORTS = {"http": 9200, "https": 443}
COMPRESSIONS = {"none": False, "gzip": True}

_BETWEEN_ADDRESSES = re.compile(r"\s*,\s*(?=https?://)", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """A user and a password; neither shows in `repr`."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key in its encoded form; it does not show in `repr`."""

    encoded: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoCredentials:
    """The server asks for none."""


Credentials = BasicAuth | ApiKey | NoCredentials


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What a user set; secrets in files are read by `read_credentials`, as often as they change."""

    addresses: tuple[str, ...]
    """With their ports, without secrets; all http or all https."""
    in_address: BasicAuth | None = None
    api_key_file: Path | None = None
    username_file: Path | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    fingerprint: bytes | None = None
    """SHA-256 of a certificate in the chain that the server shows."""
    compress: bool = False

    @property
    def files(self) -> tuple[Path, ...]:
        """Files whose change changes the connection."""
        named = (self.api_key_file, self.username_file, self.password_file, self.ca_file)
        return tuple(path for path in named if path is not None)

    @property
    def place(self) -> str:
        """The addresses for people."""
        return ", ".join(self.addresses)


def read_settings(url: str, environment: Mapping[str, str]) -> ConnectionSettings:
    """The settings that addresses and environment give; the files that they name are readable now.

    Args:
        url: one address, or several with commas between them.
        environment: variables; an empty one is one that is not set.

    Raises:
        LogStoreRefused: something can't be used, or contradicts something else; the message shows no secret.
    """
    parts = [_split(address) for address in _BETWEEN_ADDRESSES.split(url.strip())]
    addresses = tuple(dict.fromkeys(_without_secrets(part) for part in parts))
    is_https = {part.scheme == "https" for part in parts}
    if len(is_https) > 1:
        raise LogStoreRefused("some addresses of Elasticsearch are http and some https: use one of both for all")
    compression = environment.get(COMPRESSION, "").strip().lower() or "none"
    if compression not in COMPRESSIONS:
        raise LogStoreRefused(f"{COMPRESSION} is {compression}: write gzip or none")
    settings = ConnectionSettings(
        addresses,
        in_address=_user_of(parts),
        api_key_file=_path(environment, API_KEY_FILE),
        username_file=_path(environment, USERNAME_FILE),
        password_file=_path(environment, PASSWORD_FILE),
        ca_file=_path(environment, CA_FILE),
        fingerprint=_fingerprint(environment.get(CA_FINGERPRINT, "")),
        compress=COMPRESSIONS[compression],
    )
    _check_credentials(settings)
    _check_trust(settings, is_https=is_https == {True})
    return settings


def read_credentials(settings: ConnectionSettings) -> Credentials:
    """What the server is to be told, read from its files now.

    Raises:
        LogStoreRefused: a file can't be read or is empty; the message names it.
    """
    if settings.api_key_file is not None:
        return ApiKey(_read_secret(API_KEY_FILE, settings.api_key_file, "API key"))
    if settings.username_file is not None and settings.password_file is not None:
        return BasicAuth(
            _read_secret(USERNAME_FILE, settings.username_file, "user name"),
            _read_secret(PASSWORD_FILE, settings.password_file, "password"),
        )
    return settings.in_address or NoCredentials()


def read_authority(settings: ConnectionSettings) -> str | None:
    """The certificates of the private authority, in PEM; None where none is named.

    Raises:
        LogStoreRefused: the file can't be read, or holds none.
    """
    path = settings.ca_file
    if path is None:
        return None
    if not path.is_file():
        raise LogStoreRefused(f"{CA_FILE} names {path}, which is no file")
    try:
        content = path.read_text(encoding="utf-8")
        ssl.create_default_context(cadata=content)
    except (OSError, ValueError) as error:
        can_be_read = isinstance(error, ssl.SSLError | ValueError)
        reason = "it holds no certificate in PEM" if can_be_read else error
        raise LogStoreRefused(f"{CA_FILE} names {path}, which can't be used: {reason}") from None
    return content


def without_secrets(url: str) -> str:
    """The addresses with their ports, without user, password, query and fragment."""
    return ", ".join(
        dict.fromkeys(_without_secrets(_split(address)) for address in _BETWEEN_ADDRESSES.split(url.strip()))
    )


def _without_secrets(address: SplitResult) -> str:
    host = f"[{address.hostname}]" if ":" in (address.hostname or "") else address.hostname
    port = address.port or DEFAULT_PORTS[address.scheme]
    return f"{address.scheme}://{host}:{port}{address.path.rstrip('/')}"


def _split(url: str) -> SplitResult:
    try:
        address = urlsplit(url.strip())
        usable = (
            address.scheme in DEFAULT_PORTS
            and bool(address.hostname)
            and "," not in address.netloc.rpartition("@")[2]
            and (address.port or 1) > 0
        )
    except ValueError:
        usable = False
    if not usable:  # the address itself stays out of the message: it may hold a password
        raise LogStoreRefused(
            "the address of Elasticsearch can't be used: write it as http(s)://HOST:PORT, several with commas between"
        )
    return address


def _user_of(parts: list[SplitResult]) -> BasicAuth | None:
    users = {BasicAuth(unquote(part.username), unquote(part.password or "")) for part in parts if part.username}
    if len(users) > 1:
        raise LogStoreRefused("the addresses of Elasticsearch name different users or passwords: name one, once")
    return next(iter(users), None)


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    named = environment.get(name, "").strip()
    return Path(named) if named else None


def _fingerprint(given: str) -> bytes | None:
    plain = given.strip().replace(":", "").lower()
    if not plain:
        return None
    if not _SHA256.fullmatch(plain):
        raise LogStoreRefused(
            f"{CA_FINGERPRINT} is no SHA-256 fingerprint: write its 64 hexadecimal digits, with or without colons "
            "(openssl x509 -in ca.crt -noout -fingerprint -sha256)"
        )
    return bytes.fromhex(plain)


def _check_credentials(settings: ConnectionSettings) -> None:
    if (settings.username_file is None) != (settings.password_file is None):
        raise LogStoreRefused(f"{USERNAME_FILE} and {PASSWORD_FILE} belong together: set both, or none of them")
    kinds = (
        ("user:password in the address", settings.in_address),
        (API_KEY_FILE, settings.api_key_file),
        (f"{USERNAME_FILE} and {PASSWORD_FILE}", settings.username_file),
    )
    given = [name for name, value in kinds if value is not None]
    if len(given) > 1:
        raise LogStoreRefused(f"credentials are given more than once ({'; '.join(given)}): leave one of them")
    read_credentials(settings)


def _check_trust(settings: ConnectionSettings, *, is_https: bool) -> None:
    if settings.ca_file is not None and settings.fingerprint is not None:
        raise LogStoreRefused(f"{CA_FILE} and {CA_FINGERPRINT} are both set: leave one of them")
    named = CA_FILE if settings.ca_file is not None else CA_FINGERPRINT if settings.fingerprint is not None else None
    if named and not is_https:
        raise LogStoreRefused(f"{named} is set, but the address begins with http://: write https://, or unset it")
    read_authority(settings)


def _read_secret(variable: str, path: Path, what: str) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip("\r\n")
        secret.strip().encode("ascii" if variable == API_KEY_FILE else "utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it holds no {what}"
        raise LogStoreRefused(f"{variable} names {path}, which can't be read: {reason}") from None
    secret = secret if variable == PASSWORD_FILE else secret.strip()
    if not secret:
        raise LogStoreRefused(f"{variable} names {path}, which is empty: put the {what} into it")
    return secret
