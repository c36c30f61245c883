"""A server's TLS by the web configuration; certificates that were renewed are taken up without a restart."""

import ssl
from collections.abc import Callable
from pathlib import Path

from sereno_backends.serving.web_config import TlsServerConfig

_VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
_VERIFY = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


class TlsUnusable(Exception):  # noqa: N818 - reads as what happened
    """A certificate, key or list of ciphers can't be used; the message says which."""


class TlsContext:
    """What connections are accepted with.

    Args:
        settings: of the web configuration.
        folder: of its file, where relative paths begin.
        at_handshakes: called as each begins. Who doesn't trust a certificate asks nothing over it: an expired one would
            stay for ever if only requests led to `renew`.

    Raises:
        TlsUnusable: a file can't be read, or isn't what it should be.
    """

    def __init__(
        self, settings: TlsServerConfig, folder: Path, *, at_handshakes: Callable[[], None] = lambda: None
    ) -> None:
        self._settings = settings
        self._certificate, self._key = folder / settings.cert_file, folder / settings.key_file
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = _VERSIONS[settings.min_version]
        self.context.maximum_version = _VERSIONS[settings.max_version]
        if settings.prefer_server_cipher_suites:
            self.context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        self._ciphers()
        self._clients(folder)
        self._loaded = self._state()
        self._load()
        self.context.sni_callback = lambda *_: at_handshakes()  # also where the client names no server

    def renew(self) -> None:
        """Take up a certificate that was replaced; connections that are open keep theirs.

        Raises:
            TlsUnusable: the new files can't be used; the old ones still are.
        """
        now = self._state()
        if now != self._loaded:
            self._loaded = now
            self._load()

    def _load(self) -> None:
        try:
            trial = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # half of a pair must not get into the real one
            for context in (trial, self.context):
                context.load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as error:
            raise TlsUnusable(f"{self._certificate} and {self._key} can't be used: {_why(error)}") from error

    def _ciphers(self) -> None:
        if self._settings.cipher_suites:
            try:
                self.context.set_ciphers(":".join(self._settings.cipher_suites))
            except ssl.SSLError as error:
                raise TlsUnusable("none of cipher_suites is known; write OpenSSL's names") from error

    def _clients(self, folder: Path) -> None:
        self.context.verify_mode = _VERIFY[self._settings.client_auth_type]
        if self._settings.client_ca_file is not None:
            path = folder / self._settings.client_ca_file
            try:
                self.context.load_verify_locations(path)
            except (OSError, ssl.SSLError) as error:
                raise TlsUnusable(f"{path} can't be used: {_why(error)}") from error

    def _state(self) -> tuple[object, ...]:
        """Changes when one of the files does."""
        states: list[object] = []
        for path in (self._certificate, self._key):
            try:
                found = path.stat()
                states.append((found.st_mtime_ns, found.st_size, found.st_ino))
            except OSError:
                states.append(None)
        return tuple(states)


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "it is no certificate, or no key"
    return error.strerror or str(error)
