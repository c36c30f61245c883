"""Tournaments: a gateway before services that answer over RabbitMQ, each with a database of its own."""
