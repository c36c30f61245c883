"""What each topology counts of known traffic, in real time, on Prometheus servers that run here (docs/scale-out.md)."""
