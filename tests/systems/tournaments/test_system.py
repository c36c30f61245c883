"""What players and organizers can rely on, on the real parts, while parts of it hang, die and come back."""

import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from support.postgresql import marked as postgresql_marked
from support.rabbitmq import marked as rabbitmq_marked
from support.redis import marked as redis_marked
from support.tournaments_system import Tournaments
from support.waiting import wait_for
from tournaments.tokens import User, issue

pytestmark = [postgresql_marked[0], rabbitmq_marked[0], redis_marked[0], pytest.mark.xdist_group("rabbitmq")]


def test_no_ticket_is_sold_twice(tournaments: Tournaments) -> None:
    """Forty buyers at once for nine tickets: nine have one, and the catalogue comes to say so."""
    number, player = tournaments.tournament(10), tournaments.user()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: tournaments.buy(number, player).status_code, range(40)))
    assert Counter(answers) == {201: 9, 409: 31}
    assert len(tournaments.http.get("/tickets", headers=player).json()["tickets"]) == 9
    wait_for(lambda: tournaments.sold(number) == 10, what="the catalogue shows all as sold, the cache as well")


def test_what_is_sold_while_the_catalogue_is_dead_is_listed_once(tournaments: Tournaments) -> None:
    """Killed in the middle of it: every ticket comes to be listed, none twice, and the account agrees."""
    number, player = tournaments.tournament(200), tournaments.user()
    catalogue, tickets = tournaments.programs["catalogue"], tournaments.programs["tickets"]
    for _ in range(20):
        assert tournaments.buy(number, player).status_code == 201
    catalogue.kill()
    for _ in range(20):
        assert tournaments.buy(number, player).status_code == 201
    catalogue.start()
    wait_for(lambda: tournaments.sold(number) == 41, what="the catalogue has caught up")
    wait_for(
        lambda: tickets.metric("tickets_listed_total") == tickets.metric("tickets_sold_total"), what="all are listed"
    )
    assert tickets.metric("tickets_oldest_unlisted_age_seconds") == 0


def test_a_service_that_hangs_is_told_in_time(tournaments: Tournaments) -> None:
    """504 after a second and a half; what it answers later is dropped and counted; others go on meanwhile."""
    number, player = tournaments.tournament(5), tournaments.user()
    tickets, gateway = tournaments.programs["tickets"], tournaments.programs["gateway"]
    late = gateway.metric("request_reply_late_total")
    tickets.signal(signal.SIGSTOP)
    try:
        begin = time.monotonic()
        assert tournaments.buy(number, player).status_code == 504
        assert 1.4 < time.monotonic() - begin < 5
        assert tournaments.http.get("/tournaments").status_code == 200
    finally:
        tickets.signal(signal.SIGCONT)
    wait_for(lambda: gateway.metric("request_reply_late_total") > late, what="the late reply is counted")
    assert gateway.metric("request_reply_duration_seconds_count", destination="tickets", outcome="timeout") >= 1
    wait_for(lambda: tournaments.buy(number, player).status_code == 201, what="tickets are sold again")


def test_stuck_events_become_late_and_are_applied_afterwards(tournaments: Tournaments) -> None:
    """Sold, not listed: late after ten seconds, once each; then the fault ends, and all are listed."""
    number, player = tournaments.tournament(50), tournaments.user()
    catalogue, tickets = tournaments.programs["catalogue"], tournaments.programs["tickets"]
    wait_for(lambda: tournaments.sold(number) == 1, what="nothing waits")
    late = tickets.metric("tickets_late_total")
    catalogue.fault("catalogue-stuck", on=True)
    for _ in range(3):
        assert tournaments.buy(number, player).status_code == 201
    wait_for(lambda: tickets.metric("tickets_late_total") == late + 3, what="three are late")
    assert tickets.metric("tickets_oldest_unlisted_age_seconds") > 9
    catalogue.fault("catalogue-stuck", on=False)
    wait_for(lambda: tournaments.sold(number) == 4, what="they are listed")
    assert tickets.metric("tickets_late_total") == late + 3


@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        ("", "missing"),
        ("Bearer nonsense", "malformed"),
        (f"Bearer {issue(User('mallory', 'organizer'), 'another secret of more than 32 bytes')}", "forged"),
        ("Basic bWU6bWU=", "missing"),
    ],
    ids=["none", "nonsense", "forged", "basic"],  # tokens differ from second to second, and so would the tests' names
)
def test_tokens_that_are_not_ours_are_refused_and_counted(tournaments: Tournaments, token: str, outcome: str) -> None:
    """401, never 5xx: the request is wrong, not the service."""
    gateway = tournaments.programs["gateway"]
    before = gateway.metric("tokens_checked_total", outcome=outcome)
    answer = tournaments.http.post(
        "/tournaments", json={"name": "Cup", "capacity": 5}, headers={"authorization": token} if token else {}
    )
    assert answer.status_code == 401
    assert gateway.metric("tokens_checked_total", outcome=outcome) == before + 1


def test_a_rotated_secret_shows_in_tokens_and_logs_only(tournaments: Tournaments) -> None:
    """Every token is refused, which is no failure of the service to anybody who counts 5xx."""
    gateway, player = tournaments.programs["gateway"], tournaments.user()
    gateway.fault("secret-rotated", on=True)
    assert tournaments.http.get("/tickets", headers=player).status_code == 401
    gateway.fault("secret-rotated", on=False)
    assert tournaments.http.get("/tickets", headers=player).status_code == 200
    log = Path(gateway.environment["GATEWAY_LOG_FILE"]).read_text()
    assert "GET /tickets answered 401: the token is forged" in log


def test_players_make_no_tournaments_and_wrong_passwords_no_tokens(tournaments: Tournaments) -> None:
    """Refused with a reason."""
    body = {"name": "Cup", "capacity": 5}
    assert tournaments.http.post("/tournaments", json=body, headers=tournaments.user()).status_code == 403
    assert tournaments.http.post("/tokens", json={"name": "nobody", "password": "x"}).status_code == 401
    assert tournaments.http.post("/users", json={"name": "a", "password": "b", "role": "king"}).status_code == 422
    unknown = httpx.Response(404)
    assert tournaments.http.get("/tournaments/unknown").status_code == unknown.status_code
    assert tournaments.buy("unknown", tournaments.user()).status_code == unknown.status_code


def test_reads_go_on_without_redis(tournaments: Tournaments) -> None:
    """A second read is a hit; with Redis frozen both are answered by the service, and nobody waits for it."""
    gateway = tournaments.programs["gateway"]
    number = tournaments.tournament(5)
    hits = gateway.metric("cache_requests_total", outcome="hit")
    for _ in range(2):
        tournaments.sold(number)
    assert gateway.metric("cache_requests_total", outcome="hit") > hits
    tournaments.redis.send_signal(signal.SIGSTOP)
    try:
        errors = gateway.metric("cache_requests_total", outcome="error")
        begin = time.monotonic()
        for _ in range(5):
            assert tournaments.http.get(f"/tournaments/{number}").status_code == 200
        assert time.monotonic() - begin < 5
        assert gateway.metric("cache_requests_total", outcome="error") >= errors + 5
    finally:
        tournaments.redis.send_signal(signal.SIGCONT)


def test_a_leak_takes_connections_and_gives_them_back(tournaments: Tournaments) -> None:
    """What the quota of connections is watched for."""
    gateway = tournaments.programs["gateway"]
    gateway.fault("connections-leaked", on=True)
    gateway.fault("connections-leaked", on=True)
    gateway.fault("connections-leaked", on=False)
    assert tournaments.http.get("/tournaments").status_code == 200
