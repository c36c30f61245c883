"""A stand-in for the outside payment network, with failures of its own."""
