"""The servers and the system that these tests share."""

from support.postgresql import postgresql
from support.rabbitmq import rabbitmq
from support.tournaments_system import tournaments

__all__ = ["postgresql", "rabbitmq", "tournaments"]
