"""RabbitMQ and LavinMQ, by their management API."""
