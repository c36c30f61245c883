"""What players and organizers can rely on, on the real parts, while parts of it hang, die and come back."""

import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import redis
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
    """What the quota of connections is watched for: Redis counts 95 more, however often it is switched on."""
    gateway = tournaments.programs["gateway"]
    before = _connections_at_rest(tournaments)
    gateway.fault("connections-leaked", on=True)
    gateway.fault("connections-leaked", on=True)
    try:
        assert _connections(tournaments) == before + 95
    finally:
        gateway.fault("connections-leaked", on=False)
    wait_for(lambda: _connections(tournaments) == before, what="they are given back")
    assert tournaments.http.get("/tournaments").status_code == 200


def test_a_leak_that_fails_half_way_leaves_nothing_behind(tournaments: Tournaments) -> None:
    """Redis has room for some more only: the fault is refused and off, and none of them stays taken."""
    gateway, before = tournaments.programs["gateway"], _connections_at_rest(tournaments)
    with redis.Redis(port=tournaments.redis_port) as client:
        allowed = client.config_get("maxclients")["maxclients"]
        client.config_set("maxclients", before + 25)
        try:
            with pytest.raises(httpx.HTTPStatusError):
                gateway.fault("connections-leaked", on=True)
            wait_for(lambda: _connections(tournaments) <= before + 1, what="none stays taken", timeout_seconds=5)
        finally:
            client.config_set("maxclients", allowed)
    assert gateway.metric("tournaments_fault_active", fault="connections-leaked") == 0


def _connections_at_rest(tournaments: Tournaments) -> int:
    """Those of a gateway that has given up what Redis' pauses broke, and of our own question."""
    assert tournaments.http.get("/tournaments").status_code == 200
    seen: list[int] = []

    def is_steady() -> bool:
        seen.append(_connections(tournaments))
        return len(seen) > 10 and len(set(seen[-10:])) == 1

    wait_for(is_steady, what="the number of connections is steady")
    return seen[-1]


def _connections(tournaments: Tournaments) -> int:
    with redis.Redis(port=tournaments.redis_port) as client:
        return int(client.info("clients")["connected_clients"])


def test_what_no_database_takes_is_refused_at_the_gateway(tournaments: Tournaments) -> None:
    """NUL, half characters and what is no number: 422 in bodies and 404 in ids, never 5xx, and no service is asked."""
    gateway, organizer = tournaments.programs["gateway"], tournaments.user("organizer")
    asked = gateway.metric("request_reply_duration_seconds_count")
    for name in ("a\\u0000b", "\\ud800"):
        for path, body in (
            ("/users", f'{{"name": "{name}", "password": "x"}}'),
            ("/tokens", f'{{"name": "{name}", "password": "x"}}'),
            ("/tournaments", f'{{"name": "{name}", "capacity": 5}}'),
        ):
            headers = {**organizer, "content-type": "application/json"}
            assert tournaments.http.post(path, content=body, headers=headers).status_code == 422, (path, name)
    for capacity in ("NaN", "1e400"):
        body, headers = f'{{"name": "Cup", "capacity": {capacity}}}', {**organizer, "content-type": "application/json"}
        assert tournaments.http.post("/tournaments", content=body, headers=headers).status_code == 422, capacity
    for number in ("%00", "a%00b"):
        assert tournaments.http.get(f"/tournaments/{number}").status_code == 404
        assert tournaments.buy(number, organizer).status_code == 404
    assert gateway.metric("request_reply_duration_seconds_count") == asked
