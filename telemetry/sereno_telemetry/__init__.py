"""What a service installs: request metrics, traces and ECS logs.

    from sereno_telemetry import configure_logging, instrument

    configure_logging("transactions-api", path=Path("logs/transactions-api.log"))
    app = FastAPI()
    instrument(app, service="transactions-api")

Importing this needs no extras; `instrument` uses the FastAPI or Starlette that the service brings.
"""

from sereno_telemetry.clients.instrumenting import ClientInstrumentation, instrument_clients
from sereno_telemetry.http.instrumenting import Instrumentation, instrument, measured
from sereno_telemetry.logs.masking import Masking
from sereno_telemetry.logs.setup import configure_logging, ecs_handler, log_deed
from sereno_telemetry.metrics.buckets import DEFAULT_BUCKETS
from sereno_telemetry.processes.joining import join_group_if_asked
from sereno_telemetry.processes.push import MetricsPush, flush_metrics, start_metrics_push
from sereno_telemetry.tracing.providers import configure_tracing
from sereno_telemetry.work.consuming import Consumer
from sereno_telemetry.work.delivery import Delivery
from sereno_telemetry.work.jobs import Job
from sereno_telemetry.work.message import current_message
from sereno_telemetry.work.publishing import publishing
from sereno_telemetry.work.run import current_run
from sereno_telemetry.work.serving import serve_metrics

__all__ = [
    "DEFAULT_BUCKETS",
    "ClientInstrumentation",
    "Consumer",
    "Delivery",
    "Instrumentation",
    "Job",
    "Masking",
    "MetricsPush",
    "configure_logging",
    "configure_tracing",
    "current_message",
    "current_run",
    "ecs_handler",
    "flush_metrics",
    "instrument",
    "instrument_clients",
    "log_deed",
    "measured",
    "publishing",
    "serve_metrics",
    "start_metrics_push",
]

# With PROMETHEUS_MULTIPROC_DIR only, and here rather than in instrument(): before the service makes its own metrics.
join_group_if_asked()
del join_group_if_asked
