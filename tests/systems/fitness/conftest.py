"""The servers and the system that these tests share."""

from support.fitness_system import fitness
from support.postgresql import postgresql

__all__ = ["fitness", "postgresql"]
