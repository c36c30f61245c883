"""What instrumentation costs a service, whether it is right, what it breaks: Sereno and four others, measured alike."""
