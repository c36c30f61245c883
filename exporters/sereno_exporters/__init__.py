"""Prometheus exporters for what has none: fetch (the only I/O) → frozen snapshot → metric families (pure)."""
