"""The server that these tests share."""

from support.postgresql import postgresql

__all__ = ["postgresql"]
