"""DevOps events: one schema for what all providers tell, and where it is kept.

`model` has the values, `documents` their JSON form, `store` the seam, `sqlite_store` the embedded store.
"""

from sereno_backends.devops.model import (
    Commit,
    Deployment,
    DevOpsEvent,
    EventKind,
    IncidentAction,
    IncidentEvent,
    Pipeline,
    Provider,
    PullRequest,
    PullRequestState,
    RunStatus,
    Subject,
    event_id_of,
    kind_of,
)
from sereno_backends.devops.store import (
    Delivery,
    DevOpsEventStore,
    DevOpsQuery,
    DevOpsStoreForeign,
    DevOpsStoreTooNew,
    DevOpsStoreUnavailable,
    Disposition,
    NumberedEvent,
    Receipt,
    Recorded,
)

__all__ = [
    "Commit",
    "Delivery",
    "Deployment",
    "DevOpsEvent",
    "DevOpsEventStore",
    "DevOpsQuery",
    "DevOpsStoreForeign",
    "DevOpsStoreTooNew",
    "DevOpsStoreUnavailable",
    "Disposition",
    "EventKind",
    "IncidentAction",
    "IncidentEvent",
    "NumberedEvent",
    "Pipeline",
    "Provider",
    "PullRequest",
    "PullRequestState",
    "Receipt",
    "Recorded",
    "RunStatus",
    "Subject",
    "event_id_of",
    "kind_of",
]
