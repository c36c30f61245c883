"""The lines that every sender sends."""

import logging
import random
from itertools import accumulate
from pathlib import Path

from prometheus_client import CollectorRegistry
from sereno_telemetry import ecs_handler

LINE_BYTES = 628
WORDS = 3_000
SEED = 1


def write_lines(path: Path, lines: int, dataset: str) -> None:
    """Lines of Sereno's telemetry of about `LINE_BYTES` each.

    Each message has words of its own, drawn as rarely and often as words are (Zipf's law): a sentence that repeats
    itself would let whoever compresses look too good.
    """
    chance = random.Random(SEED)
    letters = "etaoinshrdlcumwfgypbvkjxqz"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 10))) for _ in range(WORDS)]
    weights = [*accumulate(1 / rank for rank in range(1, WORDS + 1))]
    filler_bytes = 0
    for attempt in range(2):  # the first line tells how much filler is needed
        handler = ecs_handler("throughput", path=path, dataset=dataset, registry=CollectorRegistry())
        logger = logging.getLogger("throughput")
        for number in range(1, (lines if attempt else 1) + 1):
            filler = " ".join(chance.choices(words, cum_weights=weights, k=filler_bytes // 4))[:filler_bytes]
            price, customer = chance.randint(100, 99_999) / 100, chance.randint(1, 9_999_999)
            message = f"order a{number} of three apples sold for {price} to customer {customer} {filler}".rstrip()
            extra = {"order": f"a{number}", "amount": 3, "express": True}
            record = logger.makeRecord(logger.name, logging.INFO, __file__, 0, message, (), None, extra=extra)
            handler.handle(record)
        handler.close()
        if not attempt:
            filler_bytes = max(0, LINE_BYTES - path.stat().st_size)
            path.unlink()
