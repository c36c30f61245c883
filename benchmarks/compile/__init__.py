"""How long people wait for the compiler, and what it needs meanwhile."""
