"""The servers and the system that these tests share."""

from support.postgresql import postgresql
from support.rabbitmq import rabbitmq
from support.rabbitmq_management import managed_rabbitmq
from support.redis import redis_port
from support.tournaments_system import tournaments

__all__ = ["managed_rabbitmq", "postgresql", "rabbitmq", "redis_port", "tournaments"]
