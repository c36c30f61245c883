"""Following files through rotation."""
