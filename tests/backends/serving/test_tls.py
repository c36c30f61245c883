"""TLS by the web configuration, with real handshakes."""

import shutil
import socket
import ssl
import threading
from pathlib import Path

import pytest
from sereno_backends.serving import TlsContext, TlsUnusable
from sereno_backends.serving.web_config import TlsServerConfig
from support.certificates import Certificate, authority, issued


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates: of the server, of a client, of strangers."""
    made = tmp_path_factory.mktemp("certificates")
    ours, strange = authority(made), authority(made, "strange")
    for name in ("server", "renewed", "client"):
        issued(made, ours, name)
    issued(made, strange, "stranger")
    return made


def certificate(folder: Path, name: str) -> Certificate:
    """One of them."""
    return Certificate(folder / f"{name}.crt", folder / f"{name}.key", folder / f"{name}.chain")


def client(folder: Path, name: str | None = None) -> ssl.SSLContext:
    """A client that trusts the authority, and shows a certificate if it has one."""
    made = ssl.create_default_context(cafile=folder / "authority.crt")
    made.check_hostname = False
    if name is not None:
        shown = certificate(folder, name)
        made.load_cert_chain(shown.path, shown.key)
    return made


def seen(server: ssl.SSLContext, asking: ssl.SSLContext) -> tuple[str | None, bytes | None]:
    """TLS version and certificate that a client sees; its error where there is none."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(ours, server_side=True) as wrapped:
                wrapped.sendall(b"x")
                wrapped.recv(1)
        except OSError:
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        theirs.settimeout(10)
        with asking.wrap_socket(theirs) as wrapped:
            if wrapped.recv(1) != b"x":
                raise ssl.SSLError("refused")
            return wrapped.version(), wrapped.getpeercert(binary_form=True)
    finally:
        theirs.close()
        thread.join(10)


def settings(**changes: object) -> TlsServerConfig:
    """A configuration of the server's certificate."""
    plain = {"cert_file": "server.crt", "key_file": "server.key", **changes}
    return TlsServerConfig.model_validate(plain)


def test_the_newest_version_is_spoken_and_old_ones_are_not(folder: Path) -> None:
    """TLS 1.3 by default, 1.2 where asked for, nothing older."""
    assert seen(TlsContext(settings(), folder).context, client(folder))[0] == "TLSv1.3"
    assert seen(TlsContext(settings(max_version="TLS12"), folder).context, client(folder))[0] == "TLSv1.2"
    old = client(folder)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(OSError, match=r"(?i)alert|reset|refused|eof"):
        seen(TlsContext(settings(min_version="TLS13"), folder).context, old)


@pytest.mark.parametrize(
    ("kind", "shown", "gets_in"),
    [
        ("RequireAndVerifyClientCert", "client", True),
        ("RequireAndVerifyClientCert", "stranger", False),
        ("RequireAndVerifyClientCert", None, False),
        ("VerifyClientCertIfGiven", "client", True),
        ("VerifyClientCertIfGiven", "stranger", False),
        ("VerifyClientCertIfGiven", None, True),
    ],
)
def test_clients_show_who_they_are(folder: Path, kind: str, shown: str | None, *, gets_in: bool) -> None:
    """Only certificates of the configured authority get in; whether one must be shown is configured."""
    context = TlsContext(settings(client_auth_type=kind, client_ca_file="authority.crt"), folder).context
    if gets_in:
        assert seen(context, client(folder, shown))[1] is not None
    else:
        with pytest.raises(OSError, match=r"(?i)alert|reset|refused|eof|broken"):
            seen(context, client(folder, shown))


def test_a_renewed_certificate_is_taken_up_and_a_broken_one_is_not(folder: Path, tmp_path: Path) -> None:
    """Connections after the renewal see the new one; half of a pair changes nothing and is told."""
    for kind in ("crt", "key"):
        shutil.copy(folder / f"server.{kind}", tmp_path / f"server.{kind}")
    tls = TlsContext(settings(), tmp_path)
    before = seen(tls.context, client(folder))[1]
    shutil.copy(folder / "renewed.crt", tmp_path / "server.crt")
    with pytest.raises(TlsUnusable, match="server"):
        tls.renew()
    assert seen(tls.context, client(folder))[1] == before
    shutil.copy(folder / "renewed.key", tmp_path / "server.key")
    tls.renew()
    renewed = ssl.PEM_cert_to_DER_cert((folder / "renewed.crt").read_text())
    assert seen(tls.context, client(folder))[1] == renewed != before


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cert_file": "missing.crt"}, "missing.crt"),
        ({"key_file": "client.key"}, "client.key"),
        ({"cert_file": "server.key"}, "server.key"),
        ({"client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": "server.key"}, "server.key"),
        ({"cipher_suites": ["NO_SUCH_CIPHER"]}, "cipher_suites"),
    ],
)
def test_files_that_can_not_be_used_are_named(folder: Path, changes: dict[str, object], told: str) -> None:
    """The message has the path, or the key of the configuration."""
    with pytest.raises(TlsUnusable, match=told):
        TlsContext(settings(**changes), folder)
