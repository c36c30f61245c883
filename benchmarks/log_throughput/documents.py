"""The lines that every sender sends."""

import logging
from pathlib import Path

from prometheus_client import CollectorRegistry
from sereno_telemetry import ecs_handler

LINE_BYTES = 628


def write_lines(path: Path, lines: int, dataset: str) -> None:
    """Lines of Sereno's telemetry of about `LINE_BYTES` each."""
    filler = ""
    for attempt in range(2):  # the first line tells how much filler is needed
        handler = ecs_handler("throughput", path=path, dataset=dataset, registry=CollectorRegistry())
        logger = logging.getLogger("throughput")
        for number in range(1, (lines if attempt else 1) + 1):
            message = f"order a{number} of three apples sold for 12.50 to a customer in the north {filler}".rstrip()
            extra = {"order": f"a{number}", "amount": 3, "express": True}
            record = logger.makeRecord(logger.name, logging.INFO, __file__, 0, message, (), None, extra=extra)
            handler.handle(record)
        handler.close()
        if not attempt:
            filler = ("lorem ipsum " * LINE_BYTES)[: max(0, LINE_BYTES - path.stat().st_size)]
            path.unlink()
