"""`python -m etl.users`: the people who use the loaded table."""

from collections import deque
from random import Random

from reference_system.load import load_command
from reference_system.load_plan import PlannedRequest

_REMEMBERED = 200


class TableMix:
    """Chooses requests: lists, single orders, totals, the ledger of batches, and now and then a run."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._orders: deque[int] = deque(maxlen=_REMEMBERED)

    def learn(self, asked: PlannedRequest, answer: object) -> None:
        """The orders of a list are loaded."""
        if asked.path.startswith("/orders?") and isinstance(answer, list):
            self._orders.extend(int(each["order_id"]) for each in answer)

    def next(self) -> PlannedRequest:
        """The next request; the same number of random draws whatever was learnt, so that the mix stays the same."""
        kind, choice = self._random.random(), self._random.random()
        if kind < 0.01:  # noqa: PLR2004 - of a hundred requests: 1, 9, 20, 35 and 35
            return PlannedRequest("POST", "/runs")
        if kind < 0.10:  # noqa: PLR2004
            return PlannedRequest("GET", "/batches?limit=10")
        if kind < 0.30:  # noqa: PLR2004
            return PlannedRequest("GET", f"/totals?minutes={1 + int(choice * 15)}")
        if kind < 0.65 or not self._orders:  # noqa: PLR2004
            return PlannedRequest("GET", "/orders?limit=20")
        return PlannedRequest("GET", f"/orders/{self._orders[int(choice * len(self._orders))]}")


command = load_command(
    TableMix,
    doc="""Send the traffic of people who use the loaded table, until SIGTERM.

    \b
    python -m etl.users --url http://127.0.0.1:18150
    python -m etl.users --url http://127.0.0.1:18150 --requests-per-second 20 --speed 60 --duration 1440
    """,
    default_rate=8.0,
)

if __name__ == "__main__":
    command()
