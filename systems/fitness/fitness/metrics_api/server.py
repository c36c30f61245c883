"""Puts the parts of the metrics API together and serves them."""

import socket
from collections.abc import Sequence

from reference_system.disturbance import ERRORS, LATENCY, Disturbance
from sereno_telemetry import instrument

from fitness.database import Database, StoreUnavailable
from fitness.metrics_api.app import create_app
from fitness.metrics_api.settings import Settings
from fitness.metrics_store import SCHEMA, MetricsStore
from fitness.program import serve, watched
from fitness.tokens import Bearer, Tokens

SERVICE = "fitness-metrics-api"
KINDS = (ERRORS, LATENCY)


def run(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        Unavailable: the database can't be opened.
    """
    with watched(KINDS) as watching:
        database = Database(settings.database_url, application=SERVICE, schema=SCHEMA)
        bearer = Bearer(Tokens(settings.jwt_key), watching.registry)
        app = create_app(MetricsStore(database), bearer, Disturbance(watching.faults, _take_too_long))
        instrument(app, service=SERVICE, registry=watching.registry)
        try:
            serve(SERVICE, settings, sockets, app, watching.faults)
        finally:
            database.close()


def _take_too_long() -> None:
    raise StoreUnavailable("the database can't be used: canceling statement due to statement timeout")
