"""What customers send."""

import json
from random import Random

import pytest
from reference_system.load_plan import PlannedRequest
from transactions_api.load import TransactionsMix
from transactions_api.model import NewTransaction

LISTING = PlannedRequest("GET", "/transactions?limit=20")


def test_seventy_of_a_hundred_read() -> None:
    """70 % GET, half of them for one transaction; 30 % POST."""
    mix = TransactionsMix(Random(1))
    mix.learn(LISTING, [{"id": "a"}, {"id": "b"}])
    planned = [mix.next() for _ in range(10_000)]
    posts = sum(request.method == "POST" for request in planned)
    single = sum(request.path in {"/transactions/a", "/transactions/b"} for request in planned)
    assert posts == pytest.approx(3000, rel=0.05)
    assert single == pytest.approx(3500, rel=0.05)


def test_a_seed_gives_the_same_mix_again() -> None:
    """Two runs with one seed send the same; another seed sends something else."""
    first, again, other = (TransactionsMix(Random(seed)) for seed in (7, 7, 8))
    plans = [[mix.next() for _ in range(200)] for mix in (first, again, other)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


def test_what_was_learnt_does_not_shift_the_mix() -> None:
    """Whether the service answers or not, the same requests are reads and writes, with the same bodies."""
    knowing, ignorant = TransactionsMix(Random(3)), TransactionsMix(Random(3))
    knowing.learn(LISTING, [{"id": "a"}])
    pairs = [(knowing.next(), ignorant.next()) for _ in range(300)]
    assert all((one.method, one.body) == (two.method, two.body) for one, two in pairs)
    assert any(one.path != two.path for one, two in pairs)


def test_nothing_is_asked_for_that_was_never_seen() -> None:
    """Until a list came back, reads are lists: a 404 would be the generator's own failure."""
    mix = TransactionsMix(Random(1))
    assert {request.path for request in (mix.next() for _ in range(200))} == {"/transactions", "/transactions?limit=20"}


def test_every_posted_body_is_a_right_one() -> None:
    """The generator's writes are accepted by the service's own model."""
    mix = TransactionsMix(Random(5))
    bodies = [request.body for request in (mix.next() for _ in range(500)) if request.body is not None]
    for body in bodies:
        NewTransaction.model_validate_json(json.dumps(body))
    assert len({str(body) for body in bodies}) > 100
