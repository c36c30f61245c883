"""The servers that tests of quotas share."""

from support.redis import redis_port

__all__ = ["redis_port"]
