"""From what was read to documents: pure, and every event becomes one, however broken it is."""
