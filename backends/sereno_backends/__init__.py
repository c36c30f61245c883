"""Clients of the outside world that several parts share: Prometheus, log stores, the schema of incidents."""
