"""DevOps webhooks: authenticated, translated into one schema, on disk before they are answered."""
