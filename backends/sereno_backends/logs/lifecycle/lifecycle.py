"""One front for all servers: what has to be done for the retention of every stream, and doing it.

A policy of index lifecycle management where the server has it, else its data-stream lifecycle, else Sereno's own job.
"""

from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from elasticsearch import Elasticsearch

from sereno_backends.logs.elasticsearch_client import explained
from sereno_backends.logs.lifecycle.applying import apply_each
from sereno_backends.logs.lifecycle.job import RetentionJob, governed
from sereno_backends.logs.lifecycle.managers import IndexLifecycle, StreamLifecycle, manager_of, policy_name
from sereno_backends.logs.lifecycle.model import (
    Action,
    Deletion,
    LeftAlone,
    LifecyclePlan,
    LifecycleRun,
    Manager,
    PolicyAttachment,
    Retentions,
    RollOver,
    Stream,
    StreamRetention,
)


class Lifecycle:
    """The retention of the data streams of a namespace.

    Only streams whose deciding index template is Sereno's are touched, and of those only ones that no policy of
    somebody else looks after. The index that is written to is never deleted.

    Args:
        client: of the server; its name in messages is `name`.
        now: the time, aware.
    """

    def __init__(self, client: Elasticsearch, name: str, retentions: Retentions, now: Callable[[], datetime]) -> None:
        self._name = name
        self._retentions = retentions
        self._job = RetentionJob(client, name, retentions, now)
        self._policies = IndexLifecycle(client, retentions)
        self._stream_lifecycles = StreamLifecycle(client, retentions)
        self._client = client

    @property
    def name(self) -> str:
        """Kind and address, without credentials."""
        return self._name

    def plan(self) -> LifecyclePlan:
        """What would be done now; nothing is changed.

        Raises:
            LogStoreError: the server can't be reached, or says no.
        """
        with explained(self._name):
            manager = manager_of(self._client, self._retentions.namespace)
        streams = self._job.streams()
        foreign = tuple(
            LeftAlone(each.name, reason) for each in streams if (reason := _why_not_ours(each, manager)) is not None
        )
        names = {each.stream for each in foreign}
        ours = tuple(each for each in streams if each.name not in names)
        return LifecyclePlan(manager, ours, self._actions(manager, ours), foreign)

    def run(self) -> LifecycleRun:
        """Do what is planned now.

        Raises:
            LogStoreError: it can't be planned; nothing was done.
        """
        return self.apply(self.plan())

    def apply(self, plan: LifecyclePlan) -> LifecycleRun:
        """Do what a plan says; what is refused for one index or stream keeps no other from its turn."""
        actions: tuple[Action, ...] = plan.actions
        if plan.manager is Manager.SERENO:
            # The server judges by itself when it is asked to roll over, and something may have grown since the plan.
            planned = {each.stream for each in actions if isinstance(each, RollOver)}
            more = (RollOver(each.name, ()) for each in governed(plan.streams) if each.name not in planned)
            actions = (*actions, *more)
        return apply_each(actions, self._carry_out, self._name)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _actions(self, manager: Manager, ours: tuple[Stream, ...]) -> tuple[Action, ...]:
        match manager:
            case Manager.INDEX_LIFECYCLE:
                with explained(self._name):
                    return self._policies.missing(ours)
            case Manager.STREAM_LIFECYCLE:
                with explained(self._name):
                    return self._stream_lifecycles.missing(ours)
            case Manager.SERENO:
                return (*self._job.deletions(ours), *self._job.rollovers(ours))
            case _:
                assert_never(manager)

    def _carry_out(self, action: Action) -> bool:
        match action:
            case Deletion() | RollOver():
                return self._job.carry_out(action)
            case PolicyAttachment():
                return self._policies.attach(action)
            case StreamRetention():
                return self._stream_lifecycles.set(action)
            case _:
                assert_never(action)


def _why_not_ours(stream: Stream, manager: Manager) -> str | None:
    """Why the stream is somebody else's; None: it is Sereno's."""
    if stream.template is None:
        return "it has no index template any more; the collector installs one with the next document"
    if not stream.is_ours:
        return f"its index template {stream.template} isn't Sereno's"
    policy = stream.write_index.policy
    if policy is not None and (manager is not Manager.INDEX_LIFECYCLE or policy != policy_name(stream)):
        return f"the policy {policy} looks after it"
    return None
