"""Redis lists and streams that are used as queues."""
