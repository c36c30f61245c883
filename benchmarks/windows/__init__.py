"""What calendar windows and exclusions cost: the time that a real Prometheus needs for the rules of one SLO."""
