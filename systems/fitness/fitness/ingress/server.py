"""Puts the parts of the ingress together and serves them."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx
from fastapi import FastAPI
from sereno_telemetry import instrument

from fitness.ingress.app import Upstream, create_app
from fitness.ingress.settings import Settings
from fitness.program import Watched, serve, watched

SERVICE = "fitness-ingress"
_CONNECTIONS = 100


def run(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT."""
    with watched((), clients=("httpx",)) as watching, _running_app(settings, watching) as app:
        serve(SERVICE, settings, sockets, app, watching.faults)


@contextmanager
def _running_app(settings: Settings, watching: Watched) -> Iterator[FastAPI]:
    upstreams = {
        "users": Upstream("fitness-users", settings.users_url),
        "payments": Upstream("fitness-payments", settings.payments_url),
        "metrics": Upstream("fitness-metrics-api", settings.metrics_url),
    }
    # trust_env: a proxy of the surroundings must not stand between two services. Not closed at the end: its connections
    # belong to the loop that has ended then, and end with the process.
    client = httpx.AsyncClient(
        timeout=settings.timeout_milliseconds / 1000,
        limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=10),
        trust_env=False,
    )
    app = create_app(upstreams, client)
    # The SLOs of the services behind are counted here: their bounds are this histogram's (SERENO_BUCKETS_FILE).
    instrument(app, service=SERVICE, registry=watching.registry)
    yield app
