"""What instrumentation costs a service, whether it is right, and what it breaks: Sereno's and four others', measured alike."""
