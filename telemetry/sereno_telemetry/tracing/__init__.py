"""Spans by OpenTelemetry, held so that they can't fail what they watch."""
