"""How well messages are grouped by their fingerprints, and what one costs, beside drain3."""
