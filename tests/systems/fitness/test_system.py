"""What people and their reports can rely on, on the real parts, while parts of it die and come back."""

import uuid
from pathlib import Path

import pytest
import redis
from fitness.tokens import Claims, Tokens
from support.fitness_system import GOOD_CARD, KEY, PASSWORD, POOR_CARD, Fitness
from support.postgresql import marked as postgresql_marked
from support.redis import marked as redis_marked
from support.waiting import wait_for

pytestmark = [postgresql_marked[0], redis_marked[0], pytest.mark.xdist_group("postgresql")]


def test_what_is_reported_is_what_was_done(fitness: Fitness) -> None:
    """Trainings and log-ins by day, event for event; every event was in the store in time."""
    _, headers = fitness.member()
    wait_for(lambda: fitness.waiting() == 0, what="nothing waits")
    before = fitness.report("trainings", headers)
    known = sum(day["trainings"] for day in before)
    for minutes in (10, 20, 30):
        assert fitness.train(headers, minutes).status_code == 201
    wait_for(
        lambda: sum(day["trainings"] for day in fitness.report("trainings", headers)) == known + 3,
        what="three more trainings are reported",
    )
    minutes_known = sum(day["minutes"] for day in before)
    assert sum(day["minutes"] for day in fitness.report("trainings", headers)) == minutes_known + 60
    users = fitness.programs["users"]
    wait_for(lambda: fitness.waiting() == 0, what="nothing waits")
    assert users.metric("fitness_event_deliveries_total", outcome="late") == 0
    assert len(fitness.http.get("/trainings", headers=headers).json()) == 3


def test_blocked_users_do_not_get_in_and_are_reported(fitness: Fitness) -> None:
    """Log-in is refused, trainings are refused with an old token, the report counts them; and back again."""
    user_id, name = fitness.sign_up()
    headers = {"authorization": f"Bearer {fitness.log_in(name).json()['token']}"}
    admin = {"authorization": f"Bearer {fitness.log_in('admin').json()['token']}"}
    blocked = fitness.report("blocked-users", headers)["users"]
    assert fitness.http.put(f"/users/{user_id}/block", headers=headers).status_code == 403
    assert fitness.http.put(f"/users/{user_id}/block", headers=admin).json() == {"id": user_id, "blocked": True}
    assert fitness.log_in(name).status_code == 403
    assert fitness.train(headers).status_code == 403
    wait_for(lambda: fitness.report("blocked-users", headers)["users"] == blocked + 1, what="it is reported")
    assert fitness.http.delete(f"/users/{user_id}/block", headers=admin).status_code == 200
    assert fitness.log_in(name).status_code == 201


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "missing"),
        ("nonsense", "malformed"),
        (Tokens("another key of more than thirty-two bytes, nobody's").issue(Claims("mallory", "admin")), "wrong_key"),
        (Tokens(KEY, clock=lambda: 1_000_000.0).issue(Claims("ada", "member")), "expired"),
    ],
)
def test_tokens_that_do_not_hold_are_refused_and_counted(fitness: Fitness, token: str, reason: str) -> None:
    """401 with a reason; the request is wrong, not the service."""
    users = fitness.programs["users"]
    before = users.metric("fitness_token_failures_total", reason=reason)
    assert fitness.train({"authorization": f"Bearer {token}"} if token else {}).status_code == 401
    assert users.metric("fitness_token_failures_total", reason=reason) == before + 1


def test_a_consumer_that_is_killed_loses_nothing_and_stores_nothing_twice(fitness: Fitness) -> None:
    """Killed with events taken and waiting; after its restart every one is in the store, once."""
    _, headers = fitness.member()
    consumer = fitness.programs["metrics_consumer"]
    wait_for(lambda: fitness.waiting() == 0, what="nothing waits")
    known = sum(day["trainings"] for day in fitness.report("trainings", headers))
    consumer.fault("consumer-stuck", on=True)
    for _ in range(20):
        assert fitness.train(headers).status_code == 201
    consumer.kill()
    for _ in range(20):
        assert fitness.train(headers).status_code == 201
    consumer.start()
    wait_for(lambda: fitness.waiting() == 0, what="all are stored")
    assert sum(day["trainings"] for day in fitness.report("trainings", headers)) == known + 40


def test_events_wait_while_redis_is_gone_and_a_new_one_gets_them_again(fitness: Fitness) -> None:
    """Log-ins and trainings go on; a Redis that has lost everything gets the events again, and each is stored once."""
    _, headers = fitness.member()
    wait_for(lambda: fitness.waiting() == 0, what="nothing waits")
    known = sum(day["trainings"] for day in fitness.report("trainings", headers))
    fitness.programs["metrics_consumer"].fault("consumer-stuck", on=True)
    for _ in range(5):
        assert fitness.train(headers).status_code == 201
    with redis.Redis(port=fitness.redis_port) as client:
        lists = ("fitness:events", "fitness:events:taken:consumer-0")  # it may have taken some before it got stuck
        wait_for(lambda: sum(client.llen(each) for each in lists) >= 5, what="Redis has them")
    fitness.forget_redis()
    fitness.programs["metrics_consumer"].fault("consumer-stuck", on=False)
    wait_for(lambda: fitness.waiting() == 0, what="all are stored")
    assert sum(day["trainings"] for day in fitness.report("trainings", headers)) == known + 5


def test_payments_that_are_declined_are_the_customers_own(fitness: Fitness) -> None:
    """201, 402 for a poor card, 504 when the network is silent; each counted by what came of it."""
    _, headers = fitness.member()
    payments, network = fitness.programs["payments"], fitness.programs["payment_network"]

    def pay(card: str) -> int:
        body = {"amount_cents": 995, "currency": "EUR", "card_number": card}
        return fitness.http.post("/payments", json=body, headers=headers).status_code

    assert pay(GOOD_CARD) == 201
    assert pay(POOR_CARD) == 402
    network.fault("network-silent", on=True)
    assert pay(GOOD_CARD) == 504
    network.fault("network-silent", on=False)
    network.fault("network-declines", on=True)
    assert pay(GOOD_CARD) == 502
    network.fault("network-declines", on=False)
    counted = [
        payments.metric("fitness_payments_total", outcome=name) for name in ("paid", "declined", "unknown", "failed")
    ]
    assert counted == [1, 1, 1, 1]
    assert GOOD_CARD not in Path(payments.environment["PAYMENTS_LOG_FILE"]).read_text()


def test_a_dead_service_is_answered_for_by_the_ingress(fitness: Fitness) -> None:
    """502 while it is dead; the others go on."""
    _, headers = fitness.member()
    payments = fitness.programs["payments"]
    payments.kill()
    body = {"amount_cents": 995, "currency": "EUR", "card_number": GOOD_CARD}
    assert fitness.http.post("/payments", json=body, headers=headers).status_code == 502
    assert fitness.train(headers).status_code == 201
    payments.start()
    assert fitness.http.post("/payments", json=body, headers=headers).status_code == 201


def test_a_key_that_nobody_knows_shows_in_log_and_counter(fitness: Fitness) -> None:
    """Users get tokens that no service accepts: no 5xx anywhere, and a new error in the log."""
    users = fitness.programs["users"]
    _, name = fitness.sign_up()
    users.fault("jwt-key-mismatch", on=True)
    token = fitness.log_in(name).json()["token"]
    users.fault("jwt-key-mismatch", on=False)
    assert fitness.train({"authorization": f"Bearer {token}"}).status_code == 401
    assert "signed with another key" in Path(users.environment["USERS_LOG_FILE"]).read_text()


def test_names_and_passwords(fitness: Fitness) -> None:
    """A name is somebody's once; a wrong password is refused and counted."""
    _, name = fitness.sign_up()
    assert fitness.http.post("/users", json={"name": name, "password": PASSWORD}).status_code == 409
    assert fitness.log_in(name, uuid.uuid4().hex).status_code == 401
    assert fitness.programs["users"].metric("fitness_log_ins_refused_total", reason="wrong_password") >= 1
