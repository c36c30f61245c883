"""What people, coaches and the on-call can rely on, on the real parts."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import jwt
import pytest
from fitness.tokens import Claims, Tokens
from support.fitness_system import DATABASE, KEY, PASSWORD, Fitness
from support.postgresql import marked as postgresql_marked
from support.redis import marked as redis_marked
from support.waiting import wait_for

pytestmark = [postgresql_marked[0], redis_marked[0], pytest.mark.xdist_group("fitness")]

COUNT = "http_server_request_duration_seconds_count"
UNKNOWN_PAYMENTS = "SELECT count(*) FROM payments.payments WHERE outcome = 'unknown'"
OPEN_PAYMENTS = "SELECT count(*) FROM payments.payments WHERE outcome IS NULL"
REFUSING_OUTCOMES = """
CREATE OR REPLACE FUNCTION payments.refuse() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END$$;
CREATE TRIGGER refusing BEFORE UPDATE ON payments.payments EXECUTE FUNCTION payments.refuse();
"""


def test_reports_equal_what_was_done(fitness: Fitness) -> None:
    """Log-ins, trainings by type and blocked users are aggregated of exactly what happened."""
    fitness.everything_arrived()
    somebody, admin = fitness.log_in(fitness.sign_up()), fitness.admin()
    before = _reports(fitness, somebody)
    for kind, times in (("run", 3), ("yoga", 2)):
        for _ in range(times):
            assert fitness.train(somebody, kind).status_code == 201
    for _ in range(4):
        fitness.log_in(fitness.sign_up())
    other = fitness.http.post("/sessions", json=fitness.sign_up()).json()["user"]
    assert fitness.http.put(f"/users/{other}/block", headers=admin).json() == {"id": other, "blocked": True}
    assert fitness.http.put(f"/users/{other}/block", headers=admin).status_code == 200  # again: no second event
    fitness.everything_arrived()
    after = _reports(fitness, somebody)
    assert {name: after[name] - before[name] for name in after} == {
        "log-ins": 5, "run": 3, "yoga": 2, "minutes": 150, "blocked": 1,
    }  # fmt: skip
    assert fitness.http.delete(f"/users/{other}/block", headers=admin).json() == {"id": other, "blocked": False}
    fitness.everything_arrived()
    assert _reports(fitness, somebody)["blocked"] == before["blocked"]
    listed = fitness.http.get("/trainings", headers=somebody).json()
    assert [each["type"] for each in listed] == ["yoga", "yoga", "run", "run", "run"]


def _reports(fitness: Fitness, headers: dict[str, str]) -> dict[str, int]:
    def ask(path: str) -> list[dict[str, int]]:
        found: list[dict[str, int]] = fitness.http.get(path, headers=headers).raise_for_status().json()
        return found

    trainings = ask("/reports/trainings?days=2")
    blocked = fitness.http.get("/reports/blocked-users", headers=headers).raise_for_status().json()
    return {
        "log-ins": sum(each["log_ins"] for each in ask("/reports/log-ins?days=2")),
        "run": sum(each["trainings"] for each in trainings if str(each["type"]) == "run"),
        "yoga": sum(each["trainings"] for each in trainings if str(each["type"]) == "yoga"),
        "minutes": sum(each["minutes"] for each in trainings),
        "blocked": blocked["users"],
    }


def test_blocked_users_can_not_log_in_or_train(fitness: Fitness) -> None:
    """403 for the log-in with the right password, and for a token that was issued before."""
    who = fitness.sign_up()
    headers = fitness.log_in(who)
    user = jwt.decode(headers["authorization"][7:], KEY, algorithms=["HS256"])["sub"]
    refused = fitness.programs["users"].metric("fitness_log_ins_refused_total", reason="blocked")
    assert fitness.http.put(f"/users/{user}/block", headers=fitness.admin()).status_code == 200
    assert fitness.http.post("/sessions", json=who).status_code == 403
    assert fitness.train(headers).status_code == 403
    assert fitness.programs["users"].metric("fitness_log_ins_refused_total", reason="blocked") == refused + 1
    assert fitness.http.delete(f"/users/{user}/block", headers=fitness.admin()).status_code == 200
    assert fitness.train(fitness.log_in(who)).status_code == 201


def test_who_may_do_what(fitness: Fitness) -> None:
    """Names are taken once, passwords are checked, only administrators block, and not themselves."""
    who = fitness.sign_up()
    assert fitness.http.post("/users", json=who).status_code == 409
    assert fitness.http.post("/sessions", json={**who, "password": "wrong one"}).status_code == 401
    assert fitness.http.post("/sessions", json={**who, "name": "nobody"}).status_code == 401
    assert fitness.http.post("/users", json={"name": "Has Spaces", "password": PASSWORD}).status_code == 422
    somebody, admin = fitness.http.post("/sessions", json=who).json(), fitness.admin()
    headers = {"authorization": f"Bearer {somebody['token']}"}
    assert fitness.http.put(f"/users/{somebody['user']}/block", headers=headers).status_code == 403
    assert fitness.http.put("/users/nobody/block", headers=admin).status_code == 404
    me = fitness.http.post("/sessions", json={"name": "admin", "password": PASSWORD}).json()["user"]
    assert fitness.http.put(f"/users/{me}/block", headers=admin).status_code == 409


@pytest.mark.parametrize("program", ["users", "payments", "metrics_api"])
def test_bad_tokens_are_refused_and_counted_by_reason(fitness: Fitness, program: str) -> None:
    """401 by every service; a wrong key is an error in its log, what a client can do is none."""
    service = fitness.programs[program]
    good = Claims("somebody", "member")
    bad = {
        "expired": Tokens(KEY, clock=lambda: time.time() - 3600).issue(good),
        "wrong_key": Tokens("another key than everybody else has: 0123").issue(good),
        "malformed": "not.a.token",
    }
    paths = {"users": "/trainings", "payments": "/payments", "metrics_api": "/reports/log-ins"}
    payment = {"amount_cents": 995, "currency": "EUR", "card_number": "4242424242424242"}
    method, body = ("POST", payment) if program == "payments" else ("GET", None)
    failures = "fitness_token_failures_total"
    wrong_key = {"log__level": "error", "error__type": "jwt.exceptions.InvalidSignatureError"}
    known = len(service.lines(**wrong_key))
    for reason, token in bad.items():
        before = service.metric(failures, reason=reason)
        headers = {"authorization": f"Bearer {token}"}
        answer = fitness.http.request(method, paths[program], headers=headers, json=body)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert service.metric(failures, reason=reason) == before + 1
    assert fitness.http.request(method, paths[program], json=body).status_code == 401
    errors = service.lines(**wrong_key)
    assert len(errors) == known + 1
    assert len(errors[-1]["trace.id"]) == 32


def test_unsigned_and_foreign_tokens_are_refused(fitness: Fitness) -> None:
    """No algorithm but ours, no issuer but ours, no role but ours."""
    said = {"iss": "fitness-users", "sub": "x", "role": "admin", "exp": int(time.time()) + 60}
    tokens = [
        jwt.encode(said, "", algorithm="none"),
        jwt.encode({**said, "iss": "somebody"}, KEY, algorithm="HS256"),
        jwt.encode({**said, "role": "root"}, KEY, algorithm="HS256"),
        jwt.encode({name: value for name, value in said.items() if name != "exp"}, KEY, algorithm="HS256"),
    ]
    answers = [fitness.http.get("/trainings", headers={"authorization": f"Bearer {token}"}) for token in tokens]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 401]


def test_payments_end_as_the_network_says(fitness: Fitness) -> None:
    """Paid, declined (the customer's), failed and unknown (the network's); the ledger has each, and no card number."""
    headers, network = fitness.log_in(fitness.sign_up()), fitness.programs["payment_network"]
    payments, unknown = fitness.programs["payments"], int(fitness.sql(UNKNOWN_PAYMENTS))
    before = {
        outcome: payments.metric("fitness_payments_total", outcome=outcome)
        for outcome in ("paid", "declined", "failed", "unknown")
    }
    codes = [fitness.pay(headers).status_code, fitness.pay(headers, "4000000000000051").status_code]
    for fault, parameters in (("network-declines", {}), ("network-silent", {"seconds": 3.0})):
        network.fault(fault, on=True, **parameters)
        codes.append(fitness.pay(headers).status_code)
        network.fault(fault, on=False)
    codes.append(fitness.pay(headers).status_code)
    assert codes == [201, 402, 502, 504, 201]
    after = {
        outcome: payments.metric("fitness_payments_total", outcome=outcome) - before[outcome] for outcome in before
    }
    assert after == {"paid": 2, "declined": 1, "failed": 1, "unknown": 1}
    assert int(fitness.sql(UNKNOWN_PAYMENTS)) == unknown + 1
    assert "4242424242424242" not in payments.log.read_text()
    assert fitness.sql("SELECT count(*) FROM payments.payments p WHERE p::text LIKE '%4242424242%'") == "0"


def test_a_network_that_dies_in_the_middle_may_have_taken_the_money(fitness: Fitness) -> None:
    """504, without the words to pay again; one that isn't there at all took nothing: 502."""
    headers, network = fitness.log_in(fitness.sign_up()), fitness.programs["payment_network"]
    unknown = int(fitness.sql(UNKNOWN_PAYMENTS))
    network.fault("network-silent", on=True, seconds=5.0)
    at_rest = network.metric("http_server_active_requests")
    try:
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(fitness.pay, headers)
            wait_for(
                lambda: network.metric("http_server_active_requests") > at_rest,
                what="it is asked",
            )
            network.kill()
        assert answer.result().status_code == 504
        assert "try again" not in answer.result().text
        assert fitness.pay(headers).status_code == 502
    finally:
        network.kill()
        network.start()
    assert int(fitness.sql(UNKNOWN_PAYMENTS)) == unknown + 1
    assert fitness.pay(headers).status_code == 201


def test_what_the_network_said_is_answered_though_the_ledger_can_not_be_written(fitness: Fitness) -> None:
    """Who has paid is told so; the log says what isn't written, and it is written when the database takes it."""
    headers, payments = fitness.log_in(fitness.sign_up()), fitness.programs["payments"]
    fitness.postgresql.run(REFUSING_OUTCOMES, DATABASE)
    try:
        codes = [fitness.pay(headers, card).status_code for card in ("4242424242424242", "4000000000000051")]
        assert codes == [201, 402]
        assert payments.metric("fitness_payment_outcomes_unwritten") == 2
        untold = [line for line in payments.lines(log__level="error") if "can't be told yet" in line["message"]]
        assert [line["message"].rpartition(" is ")[2] for line in untold] == ["paid", "declined"]
        assert fitness.sql(OPEN_PAYMENTS) == "2"
    finally:
        fitness.postgresql.run("DROP TRIGGER refusing ON payments.payments", DATABASE)
    wait_for(lambda: fitness.sql(OPEN_PAYMENTS) == "0", what="the ledger has both")
    assert payments.metric("fitness_payment_outcomes_unwritten") == 0


def test_the_ingress_answers_for_a_dead_service(fitness: Fitness) -> None:
    """502 while a service is down, 504 while it hangs; others go on, and codes are counted by route."""
    ingress, payments = fitness.programs["ingress"], fitness.programs["payments"]
    headers = fitness.log_in(fitness.sign_up())
    payments.signal(19)
    try:
        assert fitness.pay(headers).status_code == 504
        assert fitness.train(headers).status_code == 201
    finally:
        payments.signal(18)
    payments.kill()
    try:
        assert fitness.pay(headers).status_code == 502
    finally:
        payments.start()
    assert fitness.pay(headers).status_code == 201
    assert ingress.metric(COUNT, http_route="/payments", http_response_status_code="504") >= 1
    assert ingress.metric(COUNT, http_route="/payments", http_response_status_code="502") >= 1
    assert httpx.post(f"{ingress.url}/events", json={"events": []}).status_code == 404  # not for the outside


def test_faults_and_figures_are_there_from_the_start(fitness: Fitness) -> None:
    """Every fault's gauge is 0, every outcome's counter exists, before anything happens."""
    kinds = {
        "users": ("errors", "latency", "jwt-key-mismatch"),
        "payments": ("errors", "latency"),
        "metrics_api": ("errors", "latency"),
        "metrics_consumer": ("consumer-stuck",),
        "payment_network": ("network-declines", "network-silent"),
    }
    for name, faults in kinds.items():
        for fault in faults:
            assert fitness.programs[name].metric("fitness_fault_active", fault=fault) == 0
    users = fitness.programs["users"]
    for outcome in ("in_time", "late"):
        assert users.metric("fitness_event_deliveries_total", outcome=outcome) >= 0
    assert users.metric("process_start_time_seconds") <= datetime.now(UTC).timestamp()


def test_a_wrong_key_is_a_fault_that_only_tokens_feel(fitness: Fitness) -> None:
    """While it is on, what is issued is refused by everybody, as 401; log-ins succeed."""
    users, who = fitness.programs["users"], fitness.sign_up()
    users.fault("jwt-key-mismatch", on=True, ratio=0.5)
    try:
        answers = [fitness.train(fitness.log_in(who)).status_code for _ in range(6)]
    finally:
        users.fault("jwt-key-mismatch", on=False)
    assert sorted(answers) == [201, 201, 201, 401, 401, 401]
    assert fitness.train(fitness.log_in(who)).status_code == 201


def test_errors_and_latency_hit_users(fitness: Fitness) -> None:
    """Half of the requests answer 503 with a logged reason; slow ones take as long as was said."""
    users, headers = fitness.programs["users"], fitness.log_in(fitness.sign_up())
    users.fault("errors", on=True, ratio=0.5)
    try:
        codes = [fitness.http.get("/trainings", headers=headers).status_code for _ in range(4)]
    finally:
        users.fault("errors", on=False)
    assert sorted(codes) == [200, 200, 503, 503]
    assert len(users.lines(error__type="fitness.database.StoreUnavailable")) == 2
    users.fault("latency", on=True, seconds=0.4)
    try:
        begin = time.monotonic()
        assert fitness.http.get("/trainings", headers=headers).status_code == 200
        assert time.monotonic() - begin >= 0.4
    finally:
        users.fault("latency", on=False)
    wait_for(lambda: users.metric("fitness_fault_active", fault="latency") == 0, what="the gauge is back")
