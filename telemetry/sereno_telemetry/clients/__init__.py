"""Calls that a service makes to others: spans by OpenTelemetry's instrumentations, figures whatever is sampled."""
