"""What was answered 200 survives kill -9; what wasn't is sent again; in the end each fact is there once."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
from sereno_backends.devops import Deployment, DevOpsQuery
from sereno_backends.devops.sqlite_store import SqliteDevOpsEventStore
from support.devops import deployment_body, github, running_receiver, write_configuration
from support.ports import free_port

DELIVERIES = 200
KILLED_AFTER = 60


def send(client: httpx.Client, number: int) -> bool:
    """Send one deployment; whether it was answered that it is on disk."""
    body = deployment_body(number)
    headers = github("deployment_status", f"d-{number}", body)
    try:
        return client.post("/api/v1/devops/github", headers=headers, content=body).status_code == 200
    except httpx.TransportError:
        return False


def shuffled() -> list[int]:
    """A tenth of the deliveries twice, a twentieth late and out of order."""
    chance = random.Random(7)
    numbers = list(range(DELIVERIES))
    late = set(chance.sample(numbers, DELIVERIES // 20))
    doubles = chance.sample(numbers, DELIVERIES // 10)
    sent = [number for number in numbers if number not in late] + doubles
    return sent + chance.sample(sorted(late), len(late))


def in_order(path: Path) -> list[str]:
    """The facts of a store that got every delivery once, in order."""
    store = SqliteDevOpsEventStore(path / "in_order.sqlite")
    with (
        running_receiver(write_configuration(path), path / "in_order.sqlite") as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        assert all(send(client, number) for number in range(DELIVERIES))
    return [event.event_id for event in store.events(DevOpsQuery())]


def test_killed_midway_nothing_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    """With doubles, late ones and a kill, the store gives the same events in the same order as undisturbed."""
    configuration, path, port = write_configuration(tmp_path), tmp_path / "devops.sqlite", free_port()
    answered: set[int] = set()
    enough = Event()

    def deliver(client: httpx.Client, number: int) -> None:
        if not enough.is_set() and send(client, number):
            answered.add(number)
            if len(answered) >= KILLED_AFTER:
                enough.set()

    sent = shuffled()
    with (
        running_receiver(configuration, path, port=port) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
        ThreadPoolExecutor(4) as senders,
    ):
        work = [senders.submit(deliver, client, number) for number in sent]
        assert enough.wait(60)
        server.process.kill()
        for one in work:
            one.result()
    store = SqliteDevOpsEventStore(path)
    subjects = [event.subject for event in store.events(DevOpsQuery())]
    kept = {int(subject.deployment_id) for subject in subjects if isinstance(subject, Deployment)}
    assert answered <= kept
    with (
        running_receiver(configuration, path, port=port) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        assert all(send(client, number) for number in sent)
    assert [event.event_id for event in store.events(DevOpsQuery())] == in_order(tmp_path)
