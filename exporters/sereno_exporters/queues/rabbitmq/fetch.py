"""Asks the management API; the only I/O of the exporter `rabbitmq`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from sereno_exporters.frame.deadline import Deadline
from sereno_exporters.frame.http import HttpTarget
from sereno_exporters.frame.trouble import FetchError, Reason
from sereno_exporters.queues.patterns import is_exact, matches
from sereno_exporters.queues.rabbitmq.dead_letters import dead_letters_of, has_named_exchange
from sereno_exporters.queues.rabbitmq.reading import (
    Json,
    binding_of,
    node_of,
    number,
    object_of,
    objects_of,
    part,
    queue_of,
    text,
)
from sereno_exporters.queues.rabbitmq.settings import RabbitmqSettings
from sereno_exporters.queues.rabbitmq.snapshot import Binding, DeadLetters, Node, Overview, Queue
from sereno_exporters.queues.sharing import Shared

PAGE_SIZE = 500
"""The most that RabbitMQ gives."""
MOST_PAGES = 1_000
ROUND = 1_000
"""A listing of so many queues, or a multiple, may be cut: LavinMQ stops at 10,000 and doesn't say so."""
# Whole objects, no dotted columns: LavinMQ knows the first level only.
COLUMNS = (
    "name,vhost,type,arguments,effective_policy_definition,messages_ready,messages_unacknowledged,consumers,"
    "head_message_timestamp,message_stats"
)


@dataclass(frozen=True, slots=True)
class Broker:
    """One target."""

    http: HttpTarget
    settings: RabbitmqSettings
    now: Callable[[], float]
    """Seconds since the epoch."""
    listing: Shared[tuple[Queue, ...]]
    """All queues of the virtual hosts."""

    @classmethod
    def of(cls, http: HttpTarget, settings: RabbitmqSettings, now: Callable[[], float]) -> "Broker":
        """A broker whose parts share the listing of queues."""

        def listed(deadline: Deadline) -> tuple[Queue, ...]:
            items = (item for path in _listing_paths(settings) for item in _listed(http, path, deadline))
            queues = (queue_of(item, now()) for item in items)
            # By address: a queue that is deleted meanwhile moves the others from page to page.
            found = {queue.address: queue for queue in queues if matches(queue.vhost, settings.vhosts)}
            return tuple(found.values())

        return cls(http, settings, now, Shared(listed))

    def queues(self, deadline: Deadline) -> tuple[Queue, ...]:
        """Those that are watched."""
        return tuple(filter(self._is_watched, self.listing(deadline)))

    def dead_letters(self, deadline: Deadline) -> DeadLetters:
        """Where those that are watched send what they give up."""
        known = self.listing(deadline)
        sources = [queue for queue in known if self._is_watched(queue) and queue.dead_letters_to is not None]
        vhosts = dict.fromkeys(queue.vhost for queue in sources if has_named_exchange(queue))
        bindings = [binding for vhost in vhosts for binding in self._bindings(vhost, deadline)]
        return dead_letters_of(sources, known, bindings)

    def overview(self, deadline: Deadline) -> Overview:
        """The broker as a whole, as far as the user may see it."""
        found = object_of(self.http.get_json("/api/overview", deadline), "/api/overview")
        vhosts = objects_of(self.http.get_json("/api/vhosts", deadline, columns="name"), "/api/vhosts")
        totals = part(found, "object_totals")
        version = text(found, "product_version") or text(found, "rabbitmq_version") or text(found, "lavinmq_version")
        return Overview(
            product=text(found, "product_name") or "unknown",
            version=version or "unknown",
            cluster=text(found, "cluster_name"),
            connections=number(totals, "connections"),
            channels=number(totals, "channels"),
            consumers=number(totals, "consumers"),
            vhosts=len(vhosts),
        )

    def nodes(self, deadline: Deadline) -> tuple[Node, ...]:
        """The cluster's nodes."""
        found = self.http.get_json("/api/nodes", deadline, columns="name,running,mem_alarm,disk_free_alarm,partitions")
        return tuple(node_of(item) for item in objects_of(found, "/api/nodes"))

    def _is_watched(self, queue: Queue) -> bool:
        settings = self.settings
        return matches(queue.name, settings.queues) and not matches(queue.name, settings.without_queues)

    def _bindings(self, vhost: str, deadline: Deadline) -> Iterator[Binding]:
        path = f"/api/bindings/{quote(vhost, safe='')}"
        found = self.http.get_json(path, deadline, columns="source,destination,destination_type")
        return (binding_of(item, vhost) for item in objects_of(found, path))


def _listing_paths(settings: RabbitmqSettings) -> tuple[str, ...]:
    """Virtual hosts that are named are asked one by one: a user without rights elsewhere can do that."""
    if all(is_exact(vhost) for vhost in settings.vhosts):
        return tuple(f"/api/queues/{quote(vhost, safe='')}" for vhost in settings.vhosts)
    return ("/api/queues",)


def _listed(http: HttpTarget, path: str, deadline: Deadline) -> Iterable[Json]:
    """All queues in one answer, which costs RabbitMQ less: for each page it looks at all of them again.

    In pages, where one answer would be too large, or may be cut.
    """
    try:
        found = objects_of(http.get_json(path, deadline, columns=COLUMNS), path)
    except FetchError as error:
        if error.reason is not Reason.TOO_LARGE:
            raise
        return _pages(http, path, deadline)
    return found if not found or len(found) % ROUND else _pages(http, path, deadline)


def _pages(http: HttpTarget, path: str, deadline: Deadline) -> Iterator[Json]:
    for page in range(1, MOST_PAGES + 1):
        answer = http.get_json(path, deadline, page=page, page_size=PAGE_SIZE, columns=COLUMNS)
        found = object_of(answer, path)
        yield from objects_of(found.get("items"), path)
        if page >= (number(found, "page_count") or 0):
            return
    raise FetchError(
        Reason.TOO_LARGE, f"{path} has more than {PAGE_SIZE * MOST_PAGES:,} queues: write vhosts that have fewer"
    )
