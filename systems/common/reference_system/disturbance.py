"""The faults that every HTTP service can have, and what they do to a request."""

import asyncio
from collections.abc import Callable

from reference_system.faults import FaultKind, Faults, Parameter, Share

RATIO = Parameter("ratio", "part of the requests that it hits", default=1.0, above=0.0, up_to=1.0)
ERRORS = FaultKind("errors", "Requests end in an exception and answer 500.", (RATIO,))
LATENCY = FaultKind(
    "latency",
    "Requests take longer.",
    (Parameter("seconds", "how much longer", default=1.0, above=0.0, up_to=60.0), RATIO),
)


class Disturbance:
    """A dependency of every route that users use; does nothing while no fault is on.

    Args:
        faults: which are on.
        fail: called for the requests that `errors` hits; raises what this service's own dependency would raise.
    """

    def __init__(self, faults: Faults, fail: Callable[[], None]) -> None:
        self._faults = faults
        self._fail = fail
        self._slow = Share()
        self._failing = Share()

    async def __call__(self) -> None:
        """Delay or fail this request as the faults that are on say."""
        latency = self._faults.active(LATENCY)
        if latency is not None and self._slow.takes(latency.settings["ratio"]):
            await asyncio.sleep(latency.settings["seconds"])
        errors = self._faults.active(ERRORS)
        if errors is not None and self._failing.takes(errors.settings["ratio"]):
            self._fail()
