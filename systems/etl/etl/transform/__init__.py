"""Makes orders of raw rows, and rejects those of which none can be made, with reasons."""
