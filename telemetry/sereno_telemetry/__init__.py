"""What a service installs: request metrics, traces and ECS logs.

    from sereno_telemetry import configure_logging, instrument

    configure_logging("transactions-api", path=Path("logs/transactions-api.log"))
    app = FastAPI()
    instrument(app, service="transactions-api")

Importing this needs no extras; `instrument` uses the FastAPI that the service brings.
"""

from sereno_telemetry.http.instrumenting import Instrumentation, instrument
from sereno_telemetry.logs.masking import Masking
from sereno_telemetry.logs.setup import configure_logging, ecs_handler, log_deed
from sereno_telemetry.metrics.buckets import DEFAULT_BUCKETS

__all__ = [
    "DEFAULT_BUCKETS",
    "Instrumentation",
    "Masking",
    "configure_logging",
    "ecs_handler",
    "instrument",
    "log_deed",
]
