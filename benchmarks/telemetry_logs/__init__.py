"""What a log record costs: Sereno's ECS lines beside those of other formatters, in one interleaved run."""
