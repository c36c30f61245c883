"""The databases that the exporter's tests share."""

from support.mariadb import mariadb
from support.postgresql import postgresql
from support.sql_shop import folder, shop_server

__all__ = ["folder", "mariadb", "postgresql", "shop_server"]
