"""`python -m fitness.load`: people who log in, train and pay, and an administrator who blocks some of them."""

from collections import deque
from random import Random

import click
from reference_system.load import load_command
from reference_system.load_plan import PlannedRequest, one_of

from fitness.events import TRAINING_TYPES

ADMIN = "admin"
_REMEMBERED = 200
_PASSWORD = "a password of load"  # noqa: S105 - of people who don't exist
_GOOD_CARD, _POOR_CARD, _EXPIRED_CARD = "4242424242424242", "4000000000000051", "4000000000000054"
_REPORTS = ("/reports/log-ins?days=7", "/reports/trainings?days=7", "/reports/blocked-users")

# What is sent, up to which random number of [0, 1).
_SIGN_UP, _LOG_IN, _TRAIN, _LIST, _PAY, _REPORT, _BLOCK = 0.04, 0.28, 0.55, 0.73, 0.90, 0.985, 0.994


class FitnessMix:
    """Chooses requests: 4 % sign-ups, 24 % log-ins, 45 % trainings, 17 % payments, 8 % reports, 1 % blocking.

    Where something is needed that isn't known yet (a token, somebody to block) it is asked for instead.

    Args:
        random: chooses.
        admin_password: of the administrator; without it nobody is blocked.
        names: how people's names begin: another one for each run with the same database.
    """

    def __init__(self, random: Random, admin_password: str, names: str) -> None:
        self._random = random
        self._admin_password = admin_password
        self._prefix = names
        self._signed_up = 0
        self._names: deque[str] = deque(maxlen=_REMEMBERED)
        self._tokens: deque[str] = deque(maxlen=_REMEMBERED)
        self._users: deque[str] = deque(maxlen=_REMEMBERED)
        self._blocked: deque[str] = deque(maxlen=_REMEMBERED)
        self._admin_token = ""

    def learn(self, asked: PlannedRequest, answer: object) -> None:
        """Whoever has signed up can log in; whoever has logged in has a token."""
        if not isinstance(answer, dict) or asked.body is None:
            return
        name = str(asked.body.get("name", ""))
        if asked.path == "/users":
            self._names.append(name)
        elif asked.path == "/sessions" and name == ADMIN:
            self._admin_token = str(answer["token"])
        elif asked.path == "/sessions":
            self._tokens.append(str(answer["token"]))
            self._users.append(str(answer["user"]))

    def next(self) -> PlannedRequest:
        """The next request; the same number of random draws whatever was learnt, so that the mix stays the same."""
        kind, choice = self._random.random(), self._random.random()
        if kind < _SIGN_UP or not self._names:
            return self._sign_up()
        if kind < _LOG_IN or not self._tokens:
            return _log_in(one_of(self._names, choice), _PASSWORD)
        if kind >= _REPORT and self._admin_password:
            return self._administrate(kind, choice)
        return _by_member(kind, choice, _bearer(one_of(self._tokens, choice)))

    def _sign_up(self) -> PlannedRequest:
        self._signed_up += 1
        return PlannedRequest("POST", "/users", {"name": f"{self._prefix}{self._signed_up}", "password": _PASSWORD})

    def _administrate(self, kind: float, choice: float) -> PlannedRequest:
        if not self._admin_token:
            return _log_in(ADMIN, self._admin_password)
        bearer = _bearer(self._admin_token)
        self._admin_token = ""  # tokens hold for a quarter of an hour, and this happens once a minute: log in each time
        if kind < _BLOCK or not self._blocked:
            user = one_of(self._users, choice)
            self._blocked.append(user)
            return PlannedRequest("PUT", f"/users/{user}/block", None, bearer)
        return PlannedRequest("DELETE", f"/users/{self._blocked.popleft()}/block", None, bearer)


def _by_member(kind: float, choice: float, bearer: dict[str, str]) -> PlannedRequest:
    if kind < _TRAIN:
        training: dict[str, str | int] = {"type": one_of(TRAINING_TYPES, choice), "minutes": 10 + int(choice * 80)}
        return PlannedRequest("POST", "/trainings", training, bearer)
    if kind < _LIST:
        return PlannedRequest("GET", "/trainings?limit=20", None, bearer)
    if kind < _PAY:
        return PlannedRequest("POST", "/payments", _payment(choice), bearer)
    return PlannedRequest("GET", one_of(_REPORTS, choice), None, bearer)


def _log_in(name: str, password: str) -> PlannedRequest:
    return PlannedRequest("POST", "/sessions", {"name": name, "password": password})


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _payment(choice: float) -> dict[str, str | int]:
    cents = int(choice * 1_000_000)
    card = _POOR_CARD if cents % 25 == 0 else _EXPIRED_CARD if cents % 50 == 1 else _GOOD_CARD
    return {"amount_cents": 500 + cents % 5_000, "currency": "EUR", "card_number": card}


class _Told:
    """What the command line says beside what all load generators are told."""

    admin_password = ""
    names = "runner-"


def _take(_: click.Context, parameter: click.Parameter, value: str) -> None:
    setattr(_Told, str(parameter.name), value)


command = load_command(
    lambda random: FitnessMix(random, _Told.admin_password, _Told.names),
    doc="""Send people's traffic to the ingress of Fitness, until SIGTERM.

    \b
    python -m fitness.load --url http://127.0.0.1:18088
    python -m fitness.load --url http://127.0.0.1:18088 --admin-password 'as USERS_ADMIN_PASSWORD' --speed 60
    """,
    default_rate=8.0,
)
click.option("--admin-password", default="", expose_value=False, callback=_take, help="Without it nobody is blocked.")(
    command
)
click.option(
    "--names", default="runner-", show_default=True, expose_value=False, callback=_take, help="How names begin."
)(command)

if __name__ == "__main__":
    command()
