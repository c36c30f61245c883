"""The secrets of a source, read from files and read anew when those change."""

from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from sereno_collectors.devops.authentication import SIGNING_PREFIX, BasicAuth, Scheme, is_for, signing_key

SHORTEST_SECRET = 16
"""Characters; shorter ones can be guessed."""
SHORTEST_KEY_BYTES = 24  # the least that Standard Webhooks allows

_Stat = tuple[int, int, int, int, int]


class UnusableSecret(Exception):  # noqa: N818 - reads as what it is
    """A file holds nothing that can be used as a secret; the message names the file, never what is in it."""


def read_secret(path: Path) -> str:
    """The secret of a file.

    Raises:
        FileNotFoundError: there is no such file.
        UnusableSecret: it can't be read, or holds no usable secret.
    """
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableSecret(f"{path} can't be read: {_reason(error)}") from None
    if len(secret) < SHORTEST_SECRET:
        what = "is empty" if not secret else f"holds a secret of less than {SHORTEST_SECRET} characters"
        raise UnusableSecret(f"{path} {what}")
    if secret.startswith(SIGNING_PREFIX):
        try:
            size = len(signing_key(secret))
        except ValueError:
            raise UnusableSecret(f"{path}: what follows {SIGNING_PREFIX} is no base64") from None
        if size < SHORTEST_KEY_BYTES:
            raise UnusableSecret(f"{path}: the key behind {SIGNING_PREFIX} has less than {SHORTEST_KEY_BYTES} bytes")
    return secret


def is_usable(secret: str, schemes: Iterable[Scheme]) -> bool:
    """Whether one of the schemes can do something with a secret."""
    fitting = [scheme for scheme in schemes if is_for(secret, scheme)]
    only_basic = all(isinstance(scheme, BasicAuth) for scheme in fitting)
    return bool(fitting) and (":" in secret or not only_basic)


class SecretFiles:
    """The secrets that are valid now; thread-safe.

    A file that is gone makes its secret invalid: so one is revoked. One that can't be used (half-written) leaves the
    secret that it held valid: a rotation must not refuse deliveries that nobody sends again.
    """

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self._paths = paths
        self._lock = Lock()
        self._seen: dict[Path, _Stat | None] = {}
        self._secrets: dict[Path, str] = {}

    def current(self) -> tuple[str, ...]:
        """All secrets that are valid now."""
        with self._lock:
            for path in self._paths:
                found = _stat(path)
                if path not in self._seen or found != self._seen[path]:
                    self._seen[path] = found
                    self._renew(path)
            return tuple(dict.fromkeys(self._secrets.values()))

    def _renew(self, path: Path) -> None:
        try:
            self._secrets[path] = read_secret(path)
        except FileNotFoundError:
            self._secrets.pop(path, None)
        except UnusableSecret:
            return


def _stat(path: Path) -> _Stat | None:
    """What changes whenever a file is written or replaced, also through a link as Kubernetes does it."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "it is no UTF-8"
