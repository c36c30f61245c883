"""One action after the other; one that is refused keeps no other from its turn."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from sereno_backends.logs.elasticsearch_client import explained
from sereno_backends.logs.lifecycle.model import Action, Failure, LifecycleRun
from sereno_backends.logs.model import LogStoreError, LogStoreUnreachable

Kind = TypeVar("Kind", bound=Action)


def apply_each(actions: Iterable[Kind], carry_out: Callable[[Kind], bool], name: str) -> LifecycleRun:
    """Carry out each, until the server doesn't answer any more; what was not tried then comes with the next plan.

    Args:
        actions: in the order in which they are tried.
        carry_out: does it; False: there was nothing to do.
        name: the server's, for messages.
    """
    done: list[Action] = []
    failures: list[Failure] = []
    for action in actions:
        try:
            with explained(name):
                if carry_out(action):
                    done.append(action)
        except LogStoreError as error:
            failures.append(Failure(action, str(error)))
            if isinstance(error, LogStoreUnreachable):
                break
    return LifecycleRun(tuple(done), tuple(failures))
