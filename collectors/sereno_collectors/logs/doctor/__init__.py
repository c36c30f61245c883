"""`sereno logs doctor`: what is seen of a store and of its collector is judged; findings, worst first."""

from sereno_collectors.logs.doctor.dead_letter_findings import DeadLetterFigures, read_dead_letters
from sereno_collectors.logs.doctor.examination import Examination, FileStore, Patient, ServerStore, examine
from sereno_collectors.logs.doctor.model import Finding, Gravity
from sereno_collectors.logs.doctor.queue_findings import QueueFigures, read_queue
from sereno_collectors.logs.doctor.retention_findings import FileRetention, StreamRetentions

__all__ = [
    "DeadLetterFigures",
    "Examination",
    "FileRetention",
    "FileStore",
    "Finding",
    "Gravity",
    "Patient",
    "QueueFigures",
    "ServerStore",
    "StreamRetentions",
    "examine",
    "read_dead_letters",
    "read_queue",
]
