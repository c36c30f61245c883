"""What a service installs: request metrics, traces and ECS logs.

    from sereno_telemetry import configure_logging, instrument

    configure_logging("transactions-api", path=Path("logs/transactions-api.log"))
    app = FastAPI()
    instrument(app, service="transactions-api")

Importing this needs no extras; `instrument` uses the FastAPI that the service brings.
"""

from sereno_telemetry.http.instrumenting import Instrumentation, instrument
from sereno_telemetry.logs.setup import configure_logging, ecs_handler, log_deed
from sereno_telemetry.metrics.buckets import DEFAULT_BUCKETS
from sereno_telemetry.work.consuming import Consumer
from sereno_telemetry.work.delivery import Delivery
from sereno_telemetry.work.jobs import Job
from sereno_telemetry.work.message import current_message
from sereno_telemetry.work.publishing import publishing
from sereno_telemetry.work.run import current_run
from sereno_telemetry.work.serving import serve_metrics

__all__ = [
    "DEFAULT_BUCKETS",
    "Consumer",
    "Delivery",
    "Instrumentation",
    "Job",
    "configure_logging",
    "current_message",
    "current_run",
    "ecs_handler",
    "instrument",
    "log_deed",
    "publishing",
    "serve_metrics",
]
