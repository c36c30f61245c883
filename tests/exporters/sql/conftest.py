"""The databases that the exporter's tests share."""

from support.mariadb import mariadb
from support.postgresql import postgresql

__all__ = ["mariadb", "postgresql"]
