"""Which servers are trusted, and what is said of the others; every handshake is a real one."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import pytest
from elastic_transport import TransportError
from sereno_backends.logs.elasticsearch_client import cause_of
from sereno_backends.logs.elasticsearch_connection import Connection
from sereno_backends.logs.elasticsearch_node import NotSent
from sereno_backends.logs.elasticsearch_settings import CA_FILE, CA_FINGERPRINT
from support.certificates import Certificate, authority, issued
from support.proxy import Refusal, proxy_before


class Certificates:
    """One authority, another of the same name, and what they signed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def right(self) -> Certificate:
        """The authority."""
        return authority(self.folder)

    @cached_property
    def wrong(self) -> Certificate:
        """Another of the same name."""
        return authority(self.folder, "wrong")

    @cached_property
    def good(self) -> Certificate:
        """Signed for this host."""
        return issued(self.folder, self.right, "good")

    @cached_property
    def expired(self) -> Certificate:
        """Signed, and no longer valid."""
        return issued(self.folder, self.right, "expired", expired=True)

    @cached_property
    def elsewhere(self) -> Certificate:
        """Signed for another host."""
        return issued(self.folder, self.right, "elsewhere", host="DNS:elsewhere.test")

    @cached_property
    def forged(self) -> Certificate:
        """Signed by the wrong authority, and shown together with the right one's certificate."""
        made = issued(self.folder, self.wrong, "forged")
        made.chain.write_text(made.path.read_text() + self.right.path.read_text())
        return made


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The certificates of these tests."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


def answer(server: Certificate, variable: str, value: str) -> str:
    """What a client says that trusts as the variable tells: `answered`, or why not."""
    with proxy_before("http://127.0.0.1:1", tls=server.context()) as proxy:
        proxy.refuse = lambda _: Refusal(200, b'{"answered": true}')
        connection = Connection(proxy.url, {variable: value})
        try:
            connection.client().perform_request("GET", "/")
        except NotSent as error:
            return cause_of(error)
        finally:
            connection.close()
    return "answered"


Choose = Callable[[Certificates], Certificate]


@pytest.mark.parametrize(
    ("server", "trusted", "said"),
    [
        (lambda all_: all_.good, lambda all_: all_.right, "answered"),
        (lambda all_: all_.good, lambda all_: all_.wrong, f"name the right authority in {CA_FILE}"),
        (lambda all_: all_.expired, lambda all_: all_.right, "expired; the server needs a new certificate"),
        (lambda all_: all_.elsewhere, lambda all_: all_.right, "write a host name into the address"),
        (lambda all_: all_.forged, lambda all_: all_.right, "not trusted"),
    ],
    ids=["right", "wrong authority", "expired", "another host", "forged"],
)
def test_an_authority_is_trusted_for_what_it_signed(
    certificates: Certificates, server: Choose, trusted: Choose, said: str
) -> None:
    """With the authority's file, a certificate of its own for this host and time is trusted, and no other."""
    assert said in answer(server(certificates), CA_FILE, str(trusted(certificates).path))


@pytest.mark.parametrize(
    ("server", "trusted", "said"),
    [
        (lambda all_: all_.good, lambda all_: all_.right, "answered"),
        (lambda all_: all_.good, lambda all_: all_.good, "answered"),
        (lambda all_: all_.elsewhere, lambda all_: all_.right, "answered"),
        (lambda all_: all_.good, lambda all_: all_.wrong, "no certificate that it shows has the fingerprint"),
        (lambda all_: all_.expired, lambda all_: all_.right, "expired; the server needs a new certificate"),
        (lambda all_: all_.forged, lambda all_: all_.right, "not trusted"),
    ],
    ids=["authority", "the server's own", "another host", "wrong", "expired", "forged"],
)
def test_a_fingerprint_is_as_good_as_the_certificate(
    certificates: Certificates, server: Choose, trusted: Choose, said: str
) -> None:
    """With a fingerprint, what that certificate signed is trusted; showing it beside a forged one is not enough."""
    assert said in answer(server(certificates), CA_FINGERPRINT, trusted(certificates).fingerprint)


def test_an_authority_that_is_replaced_in_its_file_is_trusted_without_a_restart(
    certificates: Certificates, tmp_path: Path
) -> None:
    """The next request after the file was mended goes through."""
    file = tmp_path / "ca.crt"
    file.write_text(certificates.wrong.path.read_text())
    with proxy_before("http://127.0.0.1:1", tls=certificates.good.context()) as proxy:
        proxy.refuse = lambda _: Refusal(200, b'{"answered": true}')
        connection = Connection(proxy.url, {CA_FILE: str(file)})
        with pytest.raises(NotSent):
            connection.client().perform_request("GET", "/")
        file.write_text("half a certific")  # the old one stays in use while the new one is not whole
        with pytest.raises(NotSent):
            connection.client().perform_request("GET", "/")
        file.write_text(certificates.right.path.read_text())
        assert connection.client().perform_request("GET", "/").body == {"answered": True}
        connection.close()


def test_something_without_tls_behind_https_is_told(certificates: Certificates) -> None:
    """A server that speaks plain HTTP on an https address is unreachable, with the reason."""
    with proxy_before("http://127.0.0.1:1") as proxy:
        connection = Connection(proxy.url.replace("http:", "https:"), {CA_FINGERPRINT: certificates.right.fingerprint})
        with pytest.raises(TransportError) as failed:
            connection.client().perform_request("GET", "/")
        assert "SSL" in cause_of(failed.value)
        connection.close()
