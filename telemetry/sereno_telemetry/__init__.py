"""What a service installs: request metrics, traces and ECS logs.

    from sereno_telemetry import configure_logging, instrument

    configure_logging("transactions-api", path=Path("logs/transactions-api.log"))
    app = FastAPI()
    instrument(app, service="transactions-api")

Importing this needs no extras; `instrument` uses the FastAPI that the service brings.
"""

from sereno_telemetry._buckets import DEFAULT_BUCKETS
from sereno_telemetry._instrument import Instrumentation, instrument
from sereno_telemetry._logging import configure_logging, ecs_handler, log_deed

__all__ = [
    "DEFAULT_BUCKETS",
    "Instrumentation",
    "configure_logging",
    "ecs_handler",
    "instrument",
    "log_deed",
]
