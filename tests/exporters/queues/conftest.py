"""The servers that tests of queues share."""

from support.moto import moto
from support.queue_shop import rabbitmq_shop
from support.rabbitmq_management import managed_rabbitmq
from support.redis import redis_port

__all__ = ["managed_rabbitmq", "moto", "rabbitmq_shop", "redis_port"]
