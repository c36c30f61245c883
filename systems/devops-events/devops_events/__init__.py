"""DevOps events: webhooks of many platforms come in by stateless nodes, and each event is stored once."""
