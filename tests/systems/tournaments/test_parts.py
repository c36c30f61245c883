"""Tokens, settings and the load's mix by themselves."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import jwt
import pytest
from reference_system.load_plan import PlannedRequest
from reference_system.settings import WrongSettings
from tournaments.load import TournamentsMix
from tournaments.settings import read_gateway, read_service
from tournaments.tokens import LIFETIME, TokenRefused, User, issue, read_secret, verify

SECRET = "a secret of thirty-two bytes or more"  # noqa: S105 - of these tests
PLAYER = User("ada", "player")


def test_a_token_says_who_somebody_is() -> None:
    """What was issued is what is read."""
    assert verify(issue(PLAYER, SECRET), SECRET) == PLAYER


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (issue(PLAYER, SECRET, datetime.now(UTC) - LIFETIME - timedelta(seconds=1)), "expired"),
        (issue(PLAYER, SECRET + "!"), "forged"),
        (jwt.encode({"sub": "ada", "iss": "tournaments", "exp": 4e9}, "", algorithm="none"), "malformed"),
        (jwt.encode({"sub": "ada", "iss": "others", "exp": 4e9}, SECRET, algorithm="HS256"), "malformed"),
        (jwt.encode({"sub": "ada", "iss": "tournaments"}, SECRET, algorithm="HS256"), "malformed"),
        ("", "malformed"),
        ("a.b.c", "malformed"),
    ],
    ids=["expired", "forged", "unsigned", "others", "endless", "empty", "letters"],
)
def test_other_tokens_are_refused_with_a_reason(token: str, reason: str) -> None:
    """An unsigned one, one for somebody else, one without an end."""
    with pytest.raises(TokenRefused) as refused:
        verify(token, SECRET)
    assert refused.value.reason == reason


def test_programs_that_start_together_have_one_secret(tmp_path: Path) -> None:
    """Whoever comes first makes it; only its owner reads it."""
    path, found = tmp_path / "deep" / "secret", set[str]()
    threads = [threading.Thread(target=lambda: found.add(read_secret(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in path.parent.iterdir()] == ["secret"]


def test_every_mistake_of_the_variables_is_told() -> None:
    """Both programs' words."""
    wrong = read_gateway({"GATEWAY_PORT": "x", "GATEWAY_ANSWER_WITHIN_MS": "1"})
    assert isinstance(wrong, WrongSettings)
    assert len(wrong.mistakes) == 2
    right = read_service("TICKETS_", 18140, {"TICKETS_PRT": "1"})
    assert not isinstance(right, WrongSettings)
    assert (right.port, right.admin_port) == (18140, 18141)
    assert right.unknown == ("TICKETS_PRT is not known and ignored; did you mean TICKETS_PORT?",)


def _answered(mix: TournamentsMix, asked: PlannedRequest) -> None:
    if asked.path == "/tokens":
        mix.learn(asked, {"token": "t"})
    elif asked.path.startswith("/tournaments?"):
        mix.learn(asked, {"tournaments": [{"id": str(number)} for number in range(5)]})


def test_the_mix_signs_up_first_and_then_does_what_players_do() -> None:
    """The same seed sends the same; all kinds of requests come, purchases with a player's token."""
    mix = TournamentsMix(Random(1))
    asked = []
    for _ in range(1000):
        asked.append(mix.next())
        _answered(mix, asked[-1])
    assert [each.path for each in asked[:4]] == ["/users", "/users", "/tokens", "/tokens"]
    bought = [each for each in asked if each.path.endswith("/tickets") and each.method == "POST"]
    assert 250 < len(bought) < 350
    assert all(each.headers["authorization"] == "Bearer t" for each in bought)
    assert {each.method + " " + each.path.split("/")[1].split("?")[0] for each in asked} == {
        "POST users", "POST tokens", "POST tournaments", "GET tournaments", "GET tickets",
    }  # fmt: skip


def test_the_mix_logs_in_again_until_it_may() -> None:
    """While the service fails, nothing is sent that needs a token."""
    mix = TournamentsMix(Random(1))
    assert {mix.next().path for _ in range(50)} == {"/users", "/tokens"}
