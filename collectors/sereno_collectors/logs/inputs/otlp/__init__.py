"""Logs that OpenTelemetry SDKs and Collectors send by OTLP/HTTP."""

from sereno_collectors.logs.inputs.otlp.otlp_input import OtlpInput

__all__ = ["OtlpInput"]
