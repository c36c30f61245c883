"""What containers of deploy/compose do beside Sereno's own commands. In the image `systems`, and not in the wheel."""
