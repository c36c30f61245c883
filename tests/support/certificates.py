"""Authorities and certificates for tests, made by openssl."""

import hashlib
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

_NOW, _LONG_AGO = ("-days", "2"), ("-days", "-1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key; `chain` is what a server shows."""

    path: Path
    key: Path
    chain: Path

    @property
    def fingerprint(self) -> str:
        """SHA-256, as openssl writes it."""
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.path.read_text())).hexdigest().upper()
        return ":".join(digest[place : place + 2] for place in range(0, 64, 2))

    def context(self) -> ssl.SSLContext:
        """For a server that shows it."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.chain, self.key)
        return made


def authority(folder: Path, name: str = "authority") -> Certificate:
    """A private authority."""
    path, key = folder / f"{name}.crt", folder / f"{name}.key"
    usage = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"]
    _openssl("req", "-x509", *_key(key), *_NOW, "-subj", "/CN=Test authority", *usage, "-out", path)
    return Certificate(path, key, path)


def issued(
    folder: Path, by: Certificate, name: str = "server", *, host: str = "IP:127.0.0.1", expired: bool = False
) -> Certificate:
    """A server's certificate, signed by the authority, for the host (`IP:…` or `DNS:…`)."""
    path, key = folder / f"{name}.crt", folder / f"{name}.key"
    request, extensions, chain = folder / f"{name}.csr", folder / f"{name}.ext", folder / f"{name}.chain"
    _openssl("req", *_key(key), "-subj", f"/CN={name}", "-out", request)
    extensions.write_text(f"subjectAltName={host}\n")
    signing: list[str | Path] = ["-CA", by.path, "-CAkey", by.key, "-CAcreateserial", "-extfile", extensions]
    _openssl("x509", "-req", "-in", request, *signing, *(_LONG_AGO if expired else _NOW), "-out", path)
    chain.write_text(path.read_text() + by.path.read_text())
    return Certificate(path, key, chain)


def _key(path: Path) -> tuple[str | Path, ...]:
    return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)
