"""The log collector: lines of files become records of a log store, each once, none lost.

    read (tail.py, rotation.py) → parse → store → keep what was rejected → save the positions (stages.py)

A stage takes a `Batch` and returns it with its own findings added; `collector.py` is the loop around them.
"""

from sereno_collectors.logs.checkpoint import Checkpoint, CheckpointError
from sereno_collectors.logs.collector import LogCollector, Surroundings
from sereno_collectors.logs.metrics import CollectorMetrics
from sereno_collectors.logs.stages import GaveUp

__all__ = ["Checkpoint", "CheckpointError", "CollectorMetrics", "GaveUp", "LogCollector", "Surroundings"]
