"""What the faults `errors` and `latency` do to a request."""

import asyncio

from transactions_api.faults import ERRORS, LATENCY, Faults, Share


class CardNetworkTimeout(Exception):  # noqa: N818 - reads as what happened
    """The network that authorizes payments gave no answer in time."""


class Disturbance:
    """A dependency of every route that customers use; does nothing while no fault is on."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._slow = Share()
        self._failing = Share()

    async def __call__(self) -> None:
        """Delay or fail this request as the faults that are on say."""
        latency = self._faults.active(LATENCY)
        if latency is not None and self._slow.takes(latency.settings["ratio"]):
            await asyncio.sleep(latency.settings["seconds"])
        errors = self._faults.active(ERRORS)
        if errors is not None and self._failing.takes(errors.settings["ratio"]):
            authorize()


def authorize() -> None:
    """Ask the card network, which is what is broken while the fault `errors` is on."""
    raise CardNetworkTimeout("the card network did not answer within 2.0 s")
