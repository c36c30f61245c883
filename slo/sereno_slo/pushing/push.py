"""The changes made, one group after the other; whatever ends this, it is known what was done."""

from collections.abc import Callable
from dataclasses import dataclass

from sereno_backends.ruler import GroupRefused, RulerClient, RulerError

from sereno_slo.pushing.differences import Change, ChangeKind, Differences
from sereno_slo.render.yaml_text import dump


@dataclass(frozen=True, slots=True)
class Pushed:
    """How far it went."""

    done: tuple[Change, ...]
    refused: tuple[tuple[Change, str], ...]
    """Groups that the ruler doesn't take, with its words; the others were pushed all the same."""
    left: tuple[Change, ...]
    """What was not tried any more, because of `failure`."""
    failure: str
    """Why it ended before its end; empty where it didn't."""


def push(client: RulerClient, found: Differences, progress: Callable[[int], None]) -> Pushed:
    """Make the changes, each by one request. A second try goes on where this one ended: what is there stays.

    Nothing is removed where a group was refused: the one that goes may be the one that another would have replaced.
    """
    done: list[Change] = []
    refused: list[tuple[Change, str]] = []
    for number, change in enumerate(found.changes):
        if change.kind is ChangeKind.REMOVED and refused:
            return Pushed(tuple(done), tuple(refused), found.changes[number:], "")
        try:
            _make(client, change)
        except GroupRefused as error:
            refused.append((change, str(error)))
        except RulerError as error:
            return Pushed(tuple(done), tuple(refused), found.changes[number:], str(error))
        else:
            done.append(change)
        progress(number + 1)
    return Pushed(tuple(done), tuple(refused), (), "")


def _make(client: RulerClient, change: Change) -> None:
    if change.kind is ChangeKind.REMOVED:
        client.remove(change.namespace, change.name)
    else:
        client.save(change.namespace, dump(change.group))
