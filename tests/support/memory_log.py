"""A log that writes to memory, and its lines checked against the specification of ECS loggers."""

import io
import json
import logging
from typing import Any

from prometheus_client import CollectorRegistry
from sereno_telemetry import Masking, ecs_handler

from support.ecs_specification import violations


class MemoryLog:
    """A logger whose only handler writes ECS to memory."""

    def __init__(self, masking: Masking | None = None) -> None:
        self.registry = CollectorRegistry()
        self.stream = io.StringIO()
        self.logger = logging.Logger("shop.orders")  # noqa: LOG001 - outside the tree, so that nothing else hears it
        self.handler = ecs_handler("shop", stream=self.stream, masking=masking, registry=self.registry)
        self.logger.addHandler(self.handler)

    @property
    def text(self) -> str:
        """What was written."""
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What was written, parsed; each line keeps the specification and its bound."""
        lines = self.text.split("\n")[:-1]
        for line in lines:
            assert violations(line) == []
            assert len(line.encode()) < 65_536
        return [json.loads(line) for line in lines]

    def counted(self, metric: str, **labels: str) -> float:
        """A counter of this log."""
        return self.registry.get_sample_value(metric, labels) or 0.0
