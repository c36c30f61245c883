"""The AWS that these tests share."""

from support.moto import moto

__all__ = ["moto"]
