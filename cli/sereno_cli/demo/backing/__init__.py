"""Servers of others that a reference system needs, each its own: PostgreSQL, RabbitMQ, Redis, and moto's AWS."""

from collections.abc import Mapping

from sereno_cli.demo.backing import moto, postgresql, rabbitmq, redis
from sereno_cli.demo.backing.model import Backing, Place

BACKINGS: Mapping[str, Backing] = {
    one.name: one for one in (moto.BACKING, postgresql.BACKING, rabbitmq.BACKING, redis.BACKING)
}
"""All of them, by the name that `needs` of a system.yaml says."""

__all__ = ["BACKINGS", "Backing", "Place"]
