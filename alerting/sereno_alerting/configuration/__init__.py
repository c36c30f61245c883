"""Alertmanager's whole configuration, written from teams and from what specs say about dependencies."""

from sereno_alerting.configuration.text import configuration_text

__all__ = ["configuration_text"]
