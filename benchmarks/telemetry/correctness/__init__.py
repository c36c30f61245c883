"""Whether request metrics say what happened: each scenario is played on each real instrumentation, and judged."""
