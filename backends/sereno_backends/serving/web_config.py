"""The grammar of Prometheus' web configuration, as far as Python's TLS can keep it.

Source: exporter-toolkit, "docs/web-configuration.md". What can't be kept here is a mistake with a cure, never ignored.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from sereno_backends.grammar import FilePath, Grammar, mistake

_BCRYPT = r"\$2[aby]\$(?:0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}"
"""With a cost that bcrypt knows: another would be an error at each request."""
_UNVERIFIED = ("RequestClientCert", "RequireAnyClientCert")

TlsVersion = Literal["TLS10", "TLS11", "TLS12", "TLS13"]
Header = Literal[
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
]


def _hash(text: str) -> str:
    if not re.fullmatch(_BCRYPT, text):
        raise mistake("SLO006", "the password is no bcrypt hash", "write what `htpasswd -nBC 10 NAME` prints")
    return text


def _verified(text: str) -> str:
    if text in _UNVERIFIED:
        raise mistake(
            "SLO006",
            f"{text} takes certificates that nobody verified, which this server does not",
            "write RequireAndVerifyClientCert or VerifyClientCertIfGiven, with client_ca_file",
        )
    return text


def _header(text: str) -> str:
    if not (text.isascii() and text.isprintable()) or text != text.strip():
        raise mistake("SLO006", f"{text!r} can't stand in a header", "write one line of ASCII")
    return text


ClientAuth = Annotated[
    Literal[
        "NoClientCert",
        "RequestClientCert",
        "RequireAnyClientCert",
        "VerifyClientCertIfGiven",
        "RequireAndVerifyClientCert",
    ],
    AfterValidator(_verified),
]


class TlsServerConfig(Grammar):
    """With which certificate the server shows itself, and which it wants of clients."""

    cert_file: FilePath = Field(description="Certificate, with its chain", examples=["server.crt"])
    key_file: FilePath = Field(description="Its key", examples=["server.key"])
    client_auth_type: ClientAuth = Field("NoClientCert", examples=["RequireAndVerifyClientCert"])
    client_ca_file: FilePath | None = Field(None, description="Who signed the clients' certificates")
    min_version: TlsVersion = Field("TLS12", examples=["TLS12"])
    max_version: TlsVersion = Field("TLS13", examples=["TLS13"])
    cipher_suites: tuple[str, ...] | None = Field(
        None, strict=False, description="Of TLS 1.2, by OpenSSL's names", examples=[["ECDHE-RSA-AES128-GCM-SHA256"]]
    )
    prefer_server_cipher_suites: bool = True

    @model_validator(mode="after")
    def _clients_are_verified_by_somebody(self) -> Self:
        if (self.client_ca_file is None) != (self.client_auth_type == "NoClientCert"):
            raise mistake(
                "SLO006",
                "client_ca_file and client_auth_type belong together",
                "write both, client_auth_type: RequireAndVerifyClientCert, or neither",
            )
        return self


class HttpServerConfig(Grammar):
    """What answers look like."""

    http2: bool = Field(default=True, description="Taken, and without effect: HTTP/1.1 is served")
    headers: dict[Header, Annotated[str, AfterValidator(_header)]] = Field({}, description="Sent with each answer")


class WebConfig(Grammar):
    """A whole file; an empty one protects nothing."""

    tls_server_config: TlsServerConfig | None = None
    http_server_config: HttpServerConfig = HttpServerConfig()
    basic_auth_users: dict[str, Annotated[str, AfterValidator(_hash)]] = Field(
        {}, description="Names, and bcrypt hashes of their passwords", examples=["{prometheus: $2y$10$…}"]
    )
