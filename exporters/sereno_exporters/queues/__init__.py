"""Exporters of queues: RabbitMQ and LavinMQ, Redis lists and streams, SQS."""
