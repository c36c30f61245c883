"""`python -m devops_events.gateway.exporter`: becomes prometheus-nginx-exporter, which reads the gateway's stub_status.

Where there is no nginx, or no exporter, it serves nothing: figures of a server that isn't there would be
taken for those of one that is down.
"""

import logging
import os
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from reference_system import serving
from reference_system.program import Unavailable, run
from reference_system.serving import Port, PortTaken, listen
from reference_system.settings import Variables, WrongSettings

from devops_events.gateway.nginx import nginx_at
from devops_events.settings import LOOPBACK, PREFIX, url

SERVICE = "devops-events-gateway-exporter"
PROGRAM = "prometheus-nginx-exporter"

_logger = logging.getLogger("devops_events.gateway")


@dataclass(frozen=True, slots=True)
class Settings:
    """What it was told."""

    host: str = LOOPBACK
    port: int = 18123
    gateway: str = "http://127.0.0.1:18100"
    """Where the gateway is, as this machine reaches it: it tells its figures to loopback only."""
    nginx: str = ""
    """As of the gateway; `none`: there is none."""
    log_file: Path | None = None
    unknown: tuple[str, ...] = ()


def read_settings(environment: Mapping[str, str]) -> Settings | WrongSettings:
    """The settings, or every mistake at once. Empty variables count as not set."""
    given, defaults = Variables(PREFIX, environment), Settings()
    settings = Settings(
        host=given.text("HOST", defaults.host),
        port=given.port("PORT", defaults.port),
        gateway=url(given, "GATEWAY", defaults.gateway, ("http",)).rstrip("/"),
        nginx=given.text("NGINX", defaults.nginx),
        log_file=given.path_or_none("LOG_FILE"),
        unknown=given.unknown(),
    )
    return given.mistakes() or settings


def serve(settings: Settings, _sockets: Sequence[socket.socket]) -> None:
    """Never returns where there are nginx and its exporter: this process is it from then on, and has its exit code.

    Raises:
        Unavailable: it can't be started, or the port is taken.
    """
    exporter = shutil.which(PROGRAM)
    if exporter is None or nginx_at(settings.nginx) is None:
        _logger.warning("There is no nginx here, or no %s: nothing is told of it", PROGRAM)
        sockets = listen((Port(settings.host, settings.port, f"{PREFIX}PORT"),))
        if isinstance(sockets, PortTaken):
            raise Unavailable(str(sockets))
        serving.serve((_nothing(),), sockets)
        return
    told = (
        f"-nginx.scrape-uri={settings.gateway}/stub_status",
        f"-web.listen-address={settings.host}:{settings.port}",
        "-nginx.retries=60",  # who starts both at once may start the gateway second
        "-nginx.retry-interval=500ms",
    )
    try:
        os.execv(exporter, [exporter, *told])  # noqa: S606 - no shell
    except OSError as error:
        raise Unavailable(f"{exporter} can't be started: {error.strerror}") from error


def _nothing() -> FastAPI:
    app = FastAPI(title="DevOps events: no figures of the gateway")

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> str:
        return ""

    return app


if __name__ == "__main__":
    # No ports: the exporter takes its own.
    sys.exit(run(SERVICE, read_settings(os.environ), lambda _: (), serve))
