"""One server of Elasticsearch as the client's transport sees it: what was surely not sent, and pinned certificates."""

import hashlib
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import urllib3
from elastic_transport import ConnectionError as NodeConnectionError
from elastic_transport import ConnectionTimeout, HttpHeaders, NodeConfig, Urllib3HttpNode
from elastic_transport.client_utils import DEFAULT, DefaultType
from urllib3.util.ssl_match_hostname import CertificateError

from sereno_backends.logs.elasticsearch_settings import CA_FILE, CA_FINGERPRINT

CONNECT_SECONDS = 5.0
"""A host that is switched off answers nothing at all; the others must not wait for it long."""

_EXPIRED, _NOT_YET_VALID = 10, 9
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
_ANOTHER_NAME = frozenset({62, 64})
_ANOTHER_NAME_CURE = "; write a host name into the address that the certificate names"


class NotSent(NodeConnectionError):  # noqa: N818 - reads as what happened
    """No connection came about: the request is nowhere, and sending it to another server is right."""


class PinnedContext(ssl.SSLContext):
    """Trusts one certificate, known by its SHA-256 only, and what that certificate has signed.

    The certificate itself is learnt from the server, which has to show it in its chain. From then on every connection
    is verified against it as against an authority's: a foreign server that shows the right certificate behind a
    forged one of its own is refused. Names are not compared.
    """

    def __new__(cls, fingerprint: bytes) -> "PinnedContext":  # noqa: ARG004, PYI034 - the base class wants a protocol
        """A context for clients."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, fingerprint: bytes) -> None:
        self.check_hostname = False
        self.verify_mode = ssl.CERT_REQUIRED
        self.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self.fingerprint = fingerprint
        self._learnt = False

    def learn(self, host: str, port: int) -> str:
        """Look at the certificates that the server shows; empty where the pinned one is among them, else an advice."""
        if self._learnt:
            return ""
        shown = {hashlib.sha256(each).digest(): each for each in _certificates_shown(host, port)}
        if self.fingerprint in shown:
            self.load_verify_locations(cadata=shown[self.fingerprint])
            self._learnt = True
            return ""
        prints = ", ".join(each.hex() for each in shown)
        return (
            f"no certificate that it shows has the fingerprint {self.fingerprint.hex()}; it shows {prints} (an "
            "authority's fingerprint needs a server that shows the authority's certificate, too)"
        )


def _certificates_shown(host: str, port: int) -> list[bytes]:
    """The server's chain in DER, unverified: good for nothing but finding the one with a known digest."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, port), timeout=CONNECT_SECONDS) as plain,
        anybody.wrap_socket(plain, server_hostname=host) as secured,
    ):
        if hasattr(secured, "get_unverified_chain"):  # Python 3.13
            return list(secured.get_unverified_chain())
        inner: Any = secured._sslobj  # type: ignore[attr-defined]  # noqa: SLF001 - the public name came with 3.13
        return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in inner.get_unverified_chain()]


class Node(Urllib3HttpNode):
    """The transport's node, with a short time to connect in, and `NotSent` where nothing was sent."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._pinned = config.ssl_context if isinstance(config.ssl_context, PinnedContext) else None
        if config.ssl_context is not None:
            # The transport's own pool would load the public authorities into the context as well.
            self.pool = urllib3.HTTPSConnectionPool(
                config.host,
                port=config.port,
                maxsize=config.connections_per_node,
                block=True,
                ssl_context=config.ssl_context,
                assert_hostname=False if self._pinned is not None else None,
            )

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> Any:
        """See `BaseNode.perform_request`.

        Raises:
            NotSent: no connection came about.
        """
        try:
            return self._perform(method, target, body, headers, request_timeout)
        except NotSent as error:
            if self._pinned is None or not _is_about_certificate(error):
                raise
            advice = self._learn(self._pinned)
            if advice:
                raise NotSent(advice) from error
        return self._perform(method, target, body, headers, request_timeout)

    def _perform(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: HttpHeaders | None,
        request_timeout: DefaultType | float | None,
    ) -> Any:
        seconds = self.config.request_timeout if isinstance(request_timeout, DefaultType) else request_timeout
        timeout: Any = urllib3.Timeout(
            connect=CONNECT_SECONDS if seconds is None else min(CONNECT_SECONDS, seconds), read=seconds
        )
        try:
            return super().perform_request(method, target, body, headers, timeout)
        except (NodeConnectionError, ConnectionTimeout) as error:
            reason = _reason_for_not_sending(error)
            if reason is None:
                raise
            raise NotSent(reason) from error

    def _learn(self, pinned: PinnedContext) -> str:
        try:
            return pinned.learn(self.config.host, self.config.port)
        except (OSError, ValueError) as error:
            return f"its certificates can't be looked at: {error}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, *one.args]


def _is_about_certificate(error: BaseException) -> bool:
    return any(isinstance(one, (ssl.SSLCertVerificationError, CertificateError)) for one in _causes(error))


def _reason_for_not_sending(error: BaseException) -> str | None:
    """Why no connection came about, with a cure where there is one; None: there was one, or nobody knows."""
    for one in _causes(error):
        match one:
            case ssl.SSLCertVerificationError():
                return f"its certificate is not trusted: {one.verify_message.rstrip('.')}{_cure(one.verify_code)}"
            case CertificateError():
                return f"its certificate is of another host: {one}{_ANOTHER_NAME_CURE}"
            case urllib3.exceptions.NewConnectionError():
                return str(one)
            case urllib3.exceptions.ConnectTimeoutError():
                return f"no connection within {CONNECT_SECONDS:g} s"
            case _:
                continue
    return None


def _cure(code: int) -> str:
    if code in _UNKNOWN_AUTHORITY:
        return f"; name the right authority in {CA_FILE} or {CA_FINGERPRINT}"
    if code == _EXPIRED:
        return "; the server needs a new certificate"
    if code == _NOT_YET_VALID:
        return "; look at the clocks of both machines"
    if code in _ANOTHER_NAME:
        return _ANOTHER_NAME_CURE
    return ""
