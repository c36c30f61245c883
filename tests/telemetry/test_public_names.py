"""What comes through the front door."""

import inspect

import sereno_telemetry


def test_the_public_names_are_these() -> None:
    """Services rely on these names; one more or one less is a decision, not an accident."""
    assert sereno_telemetry.__all__ == [
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
    public = {
        name
        for name, value in vars(sereno_telemetry).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(sereno_telemetry.__all__)
