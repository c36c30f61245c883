"""The log collector: events of files become documents of a log store, each once, none lost.

inputs → parsing → queue → delivery (`collector.py` puts them together, `model.py` is what they hand to each other)
"""

from sereno_collectors.logs.collector import LogCollector, Settings, Surroundings
from sereno_collectors.logs.inputs.files.checkpoint import Checkpoint, CheckpointError
from sereno_collectors.logs.locking import LockError
from sereno_collectors.logs.metrics import CollectorMetrics
from sereno_collectors.logs.model import QueueFull
from sereno_collectors.logs.queue import QueueError, QueueUnavailable

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "CollectorMetrics",
    "LockError",
    "LogCollector",
    "QueueError",
    "QueueFull",
    "QueueUnavailable",
    "Settings",
    "Surroundings",
]
