"""Waiting for the outside world, bounded."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def wait_for(probe: Callable[[], Value | None], *, what: str, timeout_seconds: float = 30.0) -> Value:
    """Call `probe` until it returns something true, and return that; fail with `what` when time is up."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_seconds:g} s: {what}")
        time.sleep(0.05)
