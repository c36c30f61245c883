"""Clients of the outside world that several parts share: Prometheus, log stores, incidents, overridden gates."""
