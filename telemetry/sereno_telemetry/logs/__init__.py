"""Log records as ECS documents, and where their lines go."""
