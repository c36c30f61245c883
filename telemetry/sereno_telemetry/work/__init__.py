"""What workers and batches install: consumers of queues, jobs, trace context over brokers, an endpoint for metrics."""
