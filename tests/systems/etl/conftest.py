"""The servers and the pipeline that these tests share."""

from support.etl_system import pipeline
from support.moto import moto
from support.postgresql import postgresql
from support.rabbitmq import rabbitmq

__all__ = ["moto", "pipeline", "postgresql", "rabbitmq"]
