"""Puts the parts of the payments service together and serves them."""

import socket
from collections.abc import Sequence

from reference_system.disturbance import ERRORS, LATENCY, Disturbance
from sereno_telemetry import instrument

from fitness.database import Database, StoreUnavailable
from fitness.payments.app import Payments, create_app
from fitness.payments.ledger import SCHEMA, Ledger
from fitness.payments.network import PaymentNetwork
from fitness.payments.outcomes import Outcomes
from fitness.payments.settings import Settings
from fitness.program import serve, watched
from fitness.tokens import Bearer, Tokens

SERVICE = "fitness-payments"
KINDS = (ERRORS, LATENCY)

_WORKER_MAY_TAKE_SECONDS = 0.8


def run(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        Unavailable: the database can't be opened.
    """
    with watched(KINDS, clients=("httpx",)) as watching:
        database = Database(settings.database_url, application=SERVICE, schema=SCHEMA)
        network = PaymentNetwork(settings.network_url, timeout_seconds=settings.network_timeout_milliseconds / 1000)
        ledger = Ledger(database)
        outcomes = Outcomes(ledger, watching.registry)
        app = create_app(
            Payments(ledger, network, outcomes, watching.registry),
            Bearer(Tokens(settings.jwt_key), watching.registry),
            Disturbance(watching.faults, _lose_connection),
        )
        instrument(app, service=SERVICE, registry=watching.registry)
        outcomes.worker.start()
        try:
            serve(SERVICE, settings, sockets, app, watching.faults)
        finally:
            outcomes.worker.stop(_WORKER_MAY_TAKE_SECONDS)
            network.close()
            database.close()


def _lose_connection() -> None:
    raise StoreUnavailable("the database can't be used: server closed the connection unexpectedly")
