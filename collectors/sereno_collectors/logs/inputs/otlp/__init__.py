"""Logs that OpenTelemetry SDKs and Collectors send by OTLP/HTTP."""

from sereno_collectors.logs.inputs.otlp.otlp_input import Guard, OtlpInput

__all__ = ["Guard", "OtlpInput"]
