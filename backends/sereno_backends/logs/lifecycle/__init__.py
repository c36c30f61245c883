"""The life cycle of Sereno's data streams: how long documents are kept, and who deletes them."""

from sereno_backends.logs.lifecycle.job import RetentionJob
from sereno_backends.logs.lifecycle.model import BackingIndex, Deletion, Retention, Retentions, Stream
from sereno_backends.logs.lifecycle.plan import deletions, due

__all__ = ["BackingIndex", "Deletion", "Retention", "RetentionJob", "Retentions", "Stream", "deletions", "due"]
