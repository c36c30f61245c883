"""Serves the stand-in for the payment network."""

import socket
from collections.abc import Sequence

from sereno_telemetry import instrument

from fitness.payment_network.app import KINDS, create_app
from fitness.payment_network.settings import Settings
from fitness.program import serve, watched

SERVICE = "fitness-payment-network"


def run(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT."""
    with watched(KINDS) as watching:
        app = create_app(watching.faults)
        instrument(app, service=SERVICE, registry=watching.registry)
        serve(SERVICE, settings, sockets, app, watching.faults)
