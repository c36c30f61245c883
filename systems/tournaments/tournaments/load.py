"""`python -m tournaments.load`: players and organizers."""

from collections import deque
from random import Random

from reference_system.load import load_command
from reference_system.load_plan import PlannedRequest, one_of

_REMEMBERED = 50
_READS, _PURCHASES, _OWN = 0.55, 0.85, 0.95
"""Of 100 requests 55 read the catalogue, 30 buy, 10 look at their own tickets, 5 log in or make a tournament."""
_ROLES = ("player", "organizer")
_PASSWORD = "swordfish"  # noqa: S105 - of users that the load makes up


class TournamentsMix:
    """Signs up and logs in first, then reads, buys, looks, and now and then makes a tournament."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._name = f"load-{random.getrandbits(40):x}"
        self._begun = 0
        self._tokens: dict[str, str] = {}
        self._ids: deque[str] = deque(maxlen=_REMEMBERED)
        self._logging_in = ""

    def learn(self, asked: PlannedRequest, answer: object) -> None:
        """Tokens, and the tournaments that there are."""
        if not isinstance(answer, dict):
            return
        if asked.path == "/tokens" and asked.body is not None:
            self._tokens[str(asked.body["name"]).rpartition("-")[2]] = str(answer["token"])
        elif asked.path.startswith("/tournaments?"):
            # Younger ones may not have tickets yet: the event is on its way.
            self._ids.extend(str(each["id"]) for each in answer["tournaments"][2:])

    def next(self) -> PlannedRequest:
        """The next request; the same number of random draws whatever was learnt."""
        kind, choice = self._random.random(), self._random.random()
        if self._begun < 2 * len(_ROLES):
            self._begun += 1
            role = _ROLES[self._begun % 2]
            return self._sign_up(role) if self._begun <= len(_ROLES) else self._log_in(role)
        return self._of_somebody(kind, choice)

    def _of_somebody(self, kind: float, choice: float) -> PlannedRequest:
        if "player" not in self._tokens or "organizer" not in self._tokens:
            return self._log_in(one_of([role for role in _ROLES if role not in self._tokens], choice))
        if not self._ids:
            return self._create(choice) if kind < _READS / 2 else PlannedRequest("GET", "/tournaments?limit=20")
        if kind < _READS / 2:
            return PlannedRequest("GET", "/tournaments?limit=20")
        if kind < _READS:
            return PlannedRequest("GET", f"/tournaments/{one_of(self._ids, choice)}")
        if kind < _PURCHASES:
            return PlannedRequest("POST", f"/tournaments/{one_of(self._ids, choice)}/tickets", {}, self._as("player"))
        return self._rarely(kind, choice)

    def _rarely(self, kind: float, choice: float) -> PlannedRequest:
        if kind < _OWN:
            return PlannedRequest("GET", "/tickets", headers=self._as("player"))
        return self._create(choice) if choice < 0.5 else self._log_in(one_of(_ROLES, 2 * choice - 1))  # noqa: PLR2004

    def _sign_up(self, role: str) -> PlannedRequest:
        return PlannedRequest("POST", "/users", {**self._credentials(role), "role": role})

    def _log_in(self, role: str) -> PlannedRequest:
        return PlannedRequest("POST", "/tokens", self._credentials(role))

    def _credentials(self, role: str) -> dict[str, str | int]:
        return {"name": f"{self._name}-{role}", "password": _PASSWORD}

    def _create(self, choice: float) -> PlannedRequest:
        body: dict[str, str | int] = {"name": f"Cup {int(choice * 1_000_000)}", "capacity": 500}
        return PlannedRequest("POST", "/tournaments", body, self._as("organizer"))

    def _as(self, role: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self._tokens[role]}"}


command = load_command(
    TournamentsMix,
    doc="""Send players' and organizers' traffic to the gateway, until SIGTERM.

    \b
    python -m tournaments.load --url http://127.0.0.1:18110
    """,
    default_rate=8.0,
)

if __name__ == "__main__":
    command()
