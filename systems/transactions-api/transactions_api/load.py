"""`python -m transactions_api.load`: the customers of this service."""

from collections import deque
from random import Random

from reference_system.load import load_command
from reference_system.load_plan import PlannedRequest, one_of

READS = 0.7
"""Part of the requests that read; half of those list, half ask for one transaction."""

_REMEMBERED_IDS = 200
_CURRENCIES = ("EUR", "USD", "COP")


class TransactionsMix:
    """Chooses requests: 70 % GET (a list, or one of the transactions that a list showed), 30 % POST."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._ids: deque[str] = deque(maxlen=_REMEMBERED_IDS)

    def learn(self, asked: PlannedRequest, answer: object) -> None:
        """The transactions of a list are stored."""
        if asked.method == "GET" and isinstance(answer, list):
            self._ids.extend(str(each["id"]) for each in answer)

    def next(self) -> PlannedRequest:
        """The next request; the same number of random draws whatever was learnt, so that the mix stays the same."""
        kind, choice = self._random.random(), self._random.random()
        if kind >= READS:
            return PlannedRequest("POST", "/transactions", _transaction(choice))
        if kind < READS / 2 or not self._ids:
            return PlannedRequest("GET", "/transactions?limit=20")
        return PlannedRequest("GET", f"/transactions/{one_of(self._ids, choice)}")


def _transaction(choice: float) -> dict[str, str | int]:
    return {
        "account": f"ACC-{int(choice * 1_000_000):06d}",
        "amount_cents": 100 + int(choice * 1_000_000) % 50_000,
        "currency": _CURRENCIES[int(choice * 1_000) % len(_CURRENCIES)],
    }


command = load_command(
    TransactionsMix,
    doc="""Send customers' traffic to a Transactions API: 70 % reads, 30 % writes, until SIGTERM.

    \b
    python -m transactions_api.load --url http://127.0.0.1:18080
    python -m transactions_api.load --url http://127.0.0.1:18080 --requests-per-second 40 --speed 60 --duration 1440
    """,
)

if __name__ == "__main__":
    command()
