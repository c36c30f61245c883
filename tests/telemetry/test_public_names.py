"""What comes through the front door."""

import inspect

import sereno_telemetry


def test_the_public_names_are_these() -> None:
    """Services rely on these names; one more or one less is a decision, not an accident."""
    assert sereno_telemetry.__all__ == [
        "DEFAULT_BUCKETS",
        "Instrumentation",
        "Masking",
        "configure_logging",
        "ecs_handler",
        "instrument",
        "log_deed",
    ]
    public = {
        name
        for name, value in vars(sereno_telemetry).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(sereno_telemetry.__all__)
