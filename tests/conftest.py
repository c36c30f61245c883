"""Fixtures that tests of several parts ask for; each is defined beside its helpers in tests/support."""

from support.elasticsearch import elasticsearch, elasticsearch_server

__all__ = ["elasticsearch", "elasticsearch_server"]
