"""CPU time that instrumentation adds to one outgoing call, ours beside OpenTelemetry's own."""
