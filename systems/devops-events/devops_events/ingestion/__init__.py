"""A stateless ingestion node: verifies a webhook, tags it and puts it on the queue, once."""
