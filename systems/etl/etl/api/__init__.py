"""What people ask: rows and totals of the loaded table, what became of each batch, and a run now."""
