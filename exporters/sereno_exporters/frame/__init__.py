"""What every exporter of ours has in common: fetch (the only I/O) → frozen snapshot → metric families (pure)."""
