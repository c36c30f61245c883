"""A function in a process of its own, forked before anything is instrumented: what it sets up ends with it."""

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

MOST_SECONDS = 60


class ForkError(Exception):
    """The process hangs, has ended by itself, or its function has raised; the message says what."""


def in_fork(function: Callable[..., Any], *arguments: Any, most_seconds: float = MOST_SECONDS) -> Any:
    """What `function` returns in a fork of this process, which must have no threads.

    Raises:
        ForkError: it raises, takes longer than `most_seconds`, or ends its process.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(sender, function, arguments))
    process.start()
    sender.close()
    try:
        if not receiver.poll(most_seconds):
            raise ForkError(f"{function.__name__}{arguments} takes longer than {most_seconds:g} s")
        result, failure = receiver.recv()
    except EOFError as error:
        raise ForkError(f"{function.__name__}{arguments} has ended its process") from error
    finally:
        process.kill()
        process.join()
        receiver.close()
    if failure:
        raise ForkError(f"{function.__name__}{arguments} raised:\n{failure}")
    return result


def _run(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        sender.send((function(*arguments), ""))
    except Exception:  # noqa: BLE001 - it goes to the parent
        sender.send((None, traceback.format_exc()))
