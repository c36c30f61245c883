"""A process that logs by Sereno's telemetry at a steady rate, and rotates its file: `python -m …emitter ORDER`.

What it has emitted stands in a journal: the number of the last log call that returned. A kill between a line and
its entry leaves one line more than the journal says.
"""

import dataclasses
import json
import logging
import os
import random
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from sereno_telemetry import Masking, ecs_handler

KEPT_FILES = 30
CLOCK_JUMP_SECONDS = 26 * 3600.0
CLOCK_JUMPS_SHARE = 0.2
OVERSIZED_CHARACTERS = 60_000


@dataclass(frozen=True, slots=True)
class Order:
    """What one emitter is to do."""

    path: str
    journal: str
    node: str
    """What its `service.node.name` begins with."""
    dataset: str
    lines_per_second: int
    seconds: float
    seed: int
    rotation: str = "none"
    """`none`, `rename` or `copytruncate`, about every second."""
    poison: bool = False
    """Mix in documents that don't fit the mapping, and big ones."""
    clock_jumps: bool = False

    def text(self) -> str:
        """As the command line takes it."""
        return json.dumps(dataclasses.asdict(self))


def emit(order: Order) -> None:
    """Log until the time is over."""
    path = Path(order.path)
    handler = ecs_handler(
        "durability", path=path, dataset=order.dataset, node=order.node, registry=CollectorRegistry(), masking=Masking()
    )
    logger = logging.getLogger("durability")
    chance = random.Random(order.seed)
    journal = os.open(order.journal, os.O_WRONLY | os.O_CREAT, 0o644)
    begun = rotated = time.monotonic()
    number = 0
    while (now := time.monotonic()) - begun < order.seconds:
        while number < (now - begun) * order.lines_per_second:
            number += 1
            handler.handle(_record(logger, order, number, chance))
            os.pwrite(journal, b"%012d" % number, 0)
        if now - rotated > chance.uniform(0.7, 1.3):
            rotated = now
            _rotate(path, order.rotation)
        time.sleep(0.005)


def _record(logger: logging.Logger, order: Order, number: int, chance: random.Random) -> logging.LogRecord:
    extra: dict[str, Any] = {"order": f"a{number}"}
    message = f"order {number} of {order.node} sold"
    if order.poison and number % 97 == 0:
        extra["ecs"] = {"user.nick": {"first": f"n{number}"}}  # an object, where rounds.py has mapped a keyword
    if order.poison and number % 211 == 0:
        message += " " + "x" * OVERSIZED_CHARACTERS
    record = logger.makeRecord(logger.name, logging.INFO, __file__, 0, message, (), None, extra=extra)
    if order.clock_jumps and chance.random() < CLOCK_JUMPS_SHARE:
        record.created += chance.choice((-1, 1)) * CLOCK_JUMP_SECONDS
    return record


def _rotate(path: Path, rotation: str) -> None:
    """As logrotate does; nobody writes meanwhile, so copying and truncating loses nothing."""
    if rotation == "none" or not path.exists():
        return
    for number in range(KEPT_FILES, 0, -1):
        older = Path(f"{path}.{number}")
        if older.exists():
            older.rename(f"{path}.{number + 1}")
    if rotation == "rename":
        path.rename(f"{path}.1")
    else:
        shutil.copyfile(path, f"{path}.1")
        os.truncate(path, 0)


def emitted(journal: Path) -> int:
    """How many log calls returned."""
    try:
        return int(journal.read_bytes() or b"0")
    except FileNotFoundError:
        return 0


if __name__ == "__main__":
    emit(Order(**json.loads(sys.argv[1])))
