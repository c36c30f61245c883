"""What the payments service makes of what the network does: nothing was paid, or it isn't known."""

import socket
import struct
from collections.abc import Iterator
from threading import Event

import pytest
from fitness.payments.network import APPROVED, NetworkFailed, NetworkSilent, PaymentNetwork
from support.misbehaving import Answer, MisbehavingServer, close_midway, garbage, hang, misbehaving, ok
from support.ports import free_port


def nothing(_: socket.socket, __: Event) -> None:
    """Take the request and hang up."""


def reset(connection: socket.socket, _: Event) -> None:
    """Take the request and break off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture
def server() -> Iterator[MisbehavingServer]:
    """What stands in for the network: the real one doesn't misbehave by command."""
    with misbehaving(end=b"}") as running:
        yield running


def asked(url: str) -> str:
    """Ask for a payment."""
    network = PaymentNetwork(url, timeout_seconds=0.5)
    try:
        return network.authorize("a payment", 995, "EUR", "4242424242424242")
    finally:
        network.close()


@pytest.mark.parametrize(
    "answer",
    [
        hang,
        nothing,
        reset,
        garbage,
        close_midway,
        ok(b"Bad Gateway", "502 Bad Gateway"),
        ok(b"{}", "500 Internal Server Error"),
        ok(b"{}", "503 Service Unavailable"),
        ok(b"{}", "409 Conflict"),
        ok(b"", "302 Found", headers="Location: /elsewhere\r\n"),
        ok(b"<html>"),
        ok(b"{}"),
        ok(b'{"code": "approved, probably"}'),
    ],
)
def test_what_the_network_may_have_taken_is_not_called_unpaid(server: MisbehavingServer, answer: Answer) -> None:
    """Once the request was sent, only the network's own word says that no money was taken."""
    server.answer = answer
    with pytest.raises(NetworkSilent):
        asked(server.url)
    assert len(server.asked) == 1, "it is never asked twice"


@pytest.mark.parametrize(
    "answer", [ok(b"{}", "400 Bad Request"), ok(b"{}", "429 Too Many Requests"), ok(b'{"code": "91"}')]
)
def test_what_the_network_refuses_is_not_paid(server: MisbehavingServer, answer: Answer) -> None:
    """By a code of its own, or because it doesn't take the request."""
    server.answer = answer
    with pytest.raises(NetworkFailed):
        asked(server.url)


def test_a_network_that_is_not_reached_is_not_paid() -> None:
    """Nothing was sent."""
    with pytest.raises(NetworkFailed):
        asked(f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("code", [APPROVED, "51", "54"])
def test_what_it_says_of_the_card_is_its_answer(server: MisbehavingServer, code: str) -> None:
    """Approved, or what the customer can mend."""
    server.answer = ok(f'{{"code": "{code}"}}'.encode())
    assert asked(server.url) == code
