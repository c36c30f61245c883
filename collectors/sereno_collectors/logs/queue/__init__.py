"""The durable queue between intake and delivery: one SQLite file, in WAL mode, synchronised at every put."""

from sereno_collectors.logs.queue.durable_queue import DurableQueue
from sereno_collectors.logs.queue.file import QueueError, QueueUnavailable
from sereno_collectors.logs.queue.reader import QueueReader, ReceivedHour
from sereno_collectors.logs.queue.values import QueueState, Settlement

__all__ = ["DurableQueue", "QueueError", "QueueReader", "QueueState", "QueueUnavailable", "ReceivedHour", "Settlement"]
