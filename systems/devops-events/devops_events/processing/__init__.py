"""A processing worker: takes events from the queue, brings them into one schema and stores each once."""
