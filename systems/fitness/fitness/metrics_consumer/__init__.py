"""The metrics service's other side: blocks on the Redis list and writes events to the store."""
