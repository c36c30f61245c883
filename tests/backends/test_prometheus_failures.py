"""What the Prometheus client says when the other side is absent, slow, foreign or misaddressed."""

import gzip
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

import httpx
import pytest
from sereno_backends.prometheus import (
    PrometheusAddressInvalid,
    PrometheusClient,
    PrometheusError,
    PrometheusIncomplete,
    PrometheusRefused,
    PrometheusUnreachable,
)
from support.misbehaving import drip, endless, misbehaving, ok
from support.ports import free_port

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def answering(status: int, body: str, kind: str = "application/json") -> PrometheusClient:
    """A client whose other side gives one fixed answer that a real Prometheus 2.42 can't be brought to give."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text=body, headers={"content-type": kind}, request=request)

    return PrometheusClient("http://prometheus.invalid", transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("localhost:9090", "begin with http://"),
        ("", "begin with http://"),
        ("ftp://prometheus:9090", "begin with http://"),
        ("http://", "names no host"),
        ("http://host:ninety", "is no URL"),
        ("http://[::1", "is no URL"),
        ("http://prometheus:9090/?tenant=1", "has a \\? or # part"),
        ("http://prometheus:9090/api/v1/query", "leave out /api/v1"),
    ],
)
def test_an_impossible_address_is_a_message_with_a_cure(url: str, cure: str) -> None:
    """An address that can't be a Prometheus's is told at once, with what to write instead."""
    with pytest.raises(PrometheusAddressInvalid, match=cure):
        PrometheusClient(url)


def test_a_password_in_a_wrong_address_is_not_repeated() -> None:
    """Credentials never come back in a message."""
    with pytest.raises(PrometheusAddressInvalid) as caught:
        PrometheusClient("http://me:secret@prometheus:9090/api/v1")
    assert "secret" not in str(caught.value)


def test_an_answer_is_read_no_further_than_it_may_be_large() -> None:
    """Whether its size is told or not: a server without end, and one with more than is taken."""
    for answer in (endless, ok(b"[" + b"1," * 60_000)):
        with (
            misbehaving(answer) as server,
            PrometheusClient(server.url, timeout_seconds=5, most_bytes=100_000) as client,
            pytest.raises(PrometheusRefused, match=r"more than 0\.09\d+ MiB; ask for fewer series"),
        ):
            client.alerts()


def test_an_answer_that_drips_ends() -> None:
    """A byte now and then keeps within every timeout of a single read; the whole answer has one, too."""
    with (
        misbehaving(drip) as server,
        PrometheusClient(server.url, timeout_seconds=0.1) as client,
        pytest.raises(PrometheusUnreachable, match=r"did not end its answer in 0\.6 s"),
    ):
        client.alerts()


def test_an_answer_that_unpacks_to_too_much_is_not_unpacked() -> None:
    """The bound is of what is held, not of what is sent."""
    packed = gzip.compress(b"0" * 3_000_000)
    assert len(packed) < 10_000
    with (
        misbehaving(ok(packed, headers="Content-Encoding: gzip\r\n")) as server,
        PrometheusClient(server.url, most_bytes=1_000_000) as client,
        pytest.raises(PrometheusRefused, match="more than"),
    ):
        client.alerts()


def test_nobody_listening_is_unreachable() -> None:
    """A closed port is `PrometheusUnreachable`, names the server, and is not ready."""
    url = f"http://127.0.0.1:{free_port()}"
    with PrometheusClient(url) as client:
        with pytest.raises(PrometheusUnreachable, match=url):
            client.instant("up", NOW)
        assert not client.ready()


def test_silence_is_unreachable_after_the_timeout() -> None:
    """A server that accepts and says nothing is given up after the timeout, which the message tells."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            PrometheusClient(url, timeout_seconds=0.2) as client,
            pytest.raises(PrometheusUnreachable, match=r"no answer in 0\.2 s"),
        ):
            client.alerts()


def test_a_connection_cut_in_the_answer_is_unreachable() -> None:
    """Half an answer is no answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def cut() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"status":"success"')
            connection.close()

        thread = threading.Thread(target=cut)
        thread.start()
        with (
            PrometheusClient(f"http://127.0.0.1:{listener.getsockname()[1]}") as client,
            pytest.raises(PrometheusUnreachable),
        ):
            client.rules()
        thread.join(timeout=5)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, "<html>Sign in</html>", PrometheusUnreachable),
        (200, "[]", PrometheusUnreachable),
        (200, '{"status":"success"}', PrometheusUnreachable),
        (200, '{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}', PrometheusUnreachable),
        (
            200,
            '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}',
            PrometheusUnreachable,
        ),
        (
            200,
            '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1e99,"1"]}]}}',
            PrometheusUnreachable,
        ),
        (200, '{"status":"error","error":"odd"}', PrometheusUnreachable),
        (HTTPStatus.FOUND, "", PrometheusUnreachable),
        (HTTPStatus.SERVICE_UNAVAILABLE, '{"status":"error","error":"query timed out"}', PrometheusUnreachable),
        (HTTPStatus.BAD_GATEWAY, "<html>proxy</html>", PrometheusUnreachable),
        (HTTPStatus.UNAUTHORIZED, "Unauthorized", PrometheusRefused),
        (HTTPStatus.NOT_FOUND, "404 page not found", PrometheusRefused),
        (HTTPStatus.UNPROCESSABLE_ENTITY, '{"status":"error","error":"too many samples"}', PrometheusRefused),
        (
            200,
            '{"status":"success","warnings":["store down"],"data":{"resultType":"vector","result":[]}}',
            PrometheusIncomplete,
        ),
        (
            200,
            '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}',
            PrometheusIncomplete,
        ),
    ],
)
def test_every_odd_answer_is_one_of_our_errors(status: int, body: str, error: type[PrometheusError]) -> None:
    """Whatever comes back that isn't a whole answer raises the fitting error and is never an empty result."""
    with answering(status, body) as client, pytest.raises(error, match=r"Prometheus http://prometheus\.invalid"):
        client.instant("up", NOW)


@pytest.mark.parametrize("ask", [PrometheusClient.alerts, PrometheusClient.rules])
def test_odd_alerts_and_rules_are_errors_too(ask: Callable[[PrometheusClient], object]) -> None:
    """Lists of alerts and rules in another shape are no empty lists."""
    with (
        answering(200, '{"status":"success","data":{"alerts":[{}],"groups":[{"name":1}]}}') as client,
        pytest.raises(PrometheusUnreachable, match="doesn't answer as a Prometheus does"),
    ):
        ask(client)
