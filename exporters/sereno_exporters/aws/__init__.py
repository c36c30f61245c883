"""Figures of AWS out of CloudWatch: counters that end up equal to the truth, calls that are counted and capped."""
