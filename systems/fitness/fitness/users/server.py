"""Puts the parts of the users service together and serves them."""

import secrets
import socket
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from fastapi import FastAPI
from reference_system.disturbance import Disturbance
from reference_system.faults import Faults, Share
from reference_system.program import Unavailable
from sereno_telemetry import instrument

from fitness.database import Database, StoreUnavailable
from fitness.program import Watched, serve, watched
from fitness.redis_client import connected
from fitness.tokens import Bearer, Claims, Tokens
from fitness.users import accounts, outbox
from fitness.users.accounts import Accounts
from fitness.users.app import Parts, create_app
from fitness.users.business import Business
from fitness.users.deliveries import Deliveries
from fitness.users.faults import JWT_KEY_MISMATCH, KINDS
from fitness.users.metrics_client import MetricsApi
from fitness.users.outbox import Outbox
from fitness.users.passwords import hashed
from fitness.users.relay import Relay
from fitness.users.settings import Settings

SERVICE = "fitness-users"
ADMIN = "admin"
_ANSWER_SECONDS = 2.0
_WORKERS_MAY_TAKE_SECONDS = 0.4


def run(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        Unavailable: the database can't be opened, or an address is none.
    """
    with watched(KINDS, clients=("httpx", "redis")) as watching, _running_parts(settings, watching) as app:
        serve(SERVICE, settings, sockets, app, watching.faults)


@contextmanager
def _running_parts(settings: Settings, watching: Watched) -> Iterator[FastAPI]:
    """The app over its workers; what is in the outbox at the end is pushed by whoever starts next."""
    try:
        client = connected(settings.redis_url, answer_seconds=_ANSWER_SECONDS)
    except ValueError as error:
        raise Unavailable(f"the address of Redis is none: {error}") from error
    database = Database(settings.database_url, application=SERVICE, schema=(*accounts.SCHEMA, *outbox.SCHEMA))
    metrics_api = MetricsApi(settings.metrics_url, answer_seconds=_ANSWER_SECONDS)
    leaving, kept = Outbox(database), Accounts(database)
    kept.ensure_admin(uuid.uuid4().hex, ADMIN, hashed(settings.admin_password))
    relay, deliveries = Relay(leaving, client, metrics_api, watching.registry), Deliveries(leaving, metrics_api)
    watching.registry.register(deliveries)
    tokens = Tokens(settings.jwt_key)
    app = create_app(
        Parts(
            kept,
            Business(watching.registry, relay.worker.wake),
            _issuing(tokens, watching.faults),
            Bearer(tokens, watching.registry),
            Disturbance(watching.faults, _lose_connection),
        )
    )
    instrument(app, service=SERVICE, registry=watching.registry)
    workers = (relay.worker, deliveries.worker)
    for worker in workers:
        worker.start()
    try:
        yield app
    finally:
        for worker in workers:
            worker.stop(_WORKERS_MAY_TAKE_SECONDS)
        metrics_api.close()
        client.close()
        database.close()


def _issuing(tokens: Tokens, faults: Faults) -> Callable[[Claims], str]:
    """Issues tokens; while the fault is on, a part of them with another key."""
    others, share = Tokens(secrets.token_hex(32)), Share()

    def issue(claims: Claims) -> str:
        fault = faults.active(JWT_KEY_MISMATCH)
        wrong = fault is not None and share.takes(fault.settings["ratio"])
        return (others if wrong else tokens).issue(claims)

    return issue


def _lose_connection() -> None:
    raise StoreUnavailable("the database can't be used: server closed the connection unexpectedly")
