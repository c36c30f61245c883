"""What a service installs: request metrics, traces and ECS logs.

    from sereno_telemetry import configure_logging, instrument

    configure_logging("transactions-api", path=Path("logs/transactions-api.log"))
    app = FastAPI()
    instrument(app, service="transactions-api")

Importing this needs no extras; `instrument` uses the FastAPI or Starlette that the service brings.
"""

from sereno_telemetry.clients.instrumenting import ClientInstrumentation, instrument_clients
from sereno_telemetry.http.instrumenting import Instrumentation, instrument, measured
from sereno_telemetry.logs.setup import configure_logging, ecs_handler, log_deed
from sereno_telemetry.metrics.buckets import DEFAULT_BUCKETS
from sereno_telemetry.tracing.providers import configure_tracing

__all__ = [
    "DEFAULT_BUCKETS",
    "ClientInstrumentation",
    "Instrumentation",
    "configure_logging",
    "configure_tracing",
    "ecs_handler",
    "instrument",
    "instrument_clients",
    "log_deed",
    "measured",
]
