"""A target of the exporter: a store of events, read anew for each scrape as far as it is new."""

from collections.abc import Callable
from datetime import datetime

from sereno_backends.devops import DevOpsStoreForeign, DevOpsStoreTooNew, DevOpsStoreUnavailable
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore

from sereno_exporters.dora.families import families
from sereno_exporters.dora.policy import DoraPolicy
from sereno_exporters.dora.reading import HistoryReader
from sereno_exporters.dora.settings import DoraSettings
from sereno_exporters.dora.snapshot import DoraSnapshot, snapshot_of
from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.model import Part, Parts, Target
from sereno_exporters.frame.trouble import FetchError, Reason

PART = "store"


def source_of(target: Target[DoraSettings], clock: Callable[[], datetime]) -> Parts:
    """A store as the frame asks it; `clock` tells where windows end."""
    store = SqliteDevOpsEventStore(target.file(target.settings.store))
    reader, policy = HistoryReader(store), target.settings.rules.policy()

    def fetch(deadline: Deadline) -> DoraSnapshot:
        return _fetched(reader, policy, clock, deadline)

    return Parts((Part(PART, fetch, families),))


def _fetched(
    reader: HistoryReader, policy: DoraPolicy, clock: Callable[[], datetime], deadline: Deadline
) -> DoraSnapshot:
    """A large store's first reading may take several scrapes: each goes on where the one before it had to stop."""
    try:
        history = reader.read(deadline.seconds_left)
    except (DevOpsStoreForeign, DevOpsStoreTooNew) as error:
        raise FetchError(Reason.CONFIGURATION, str(error)) from error
    except DevOpsStoreUnavailable as error:
        raise FetchError(Reason.UNREACHABLE, f"{error}; is it the file of `sereno collect devops`?") from error
    return snapshot_of(history, policy, clock())
