"""Who knows a name and its password gets in, nobody else, and names can't be found out by the clock."""

import asyncio
import base64
from typing import Any

import bcrypt
import httpx
import pytest
from sereno_backends.serving import BasicAuth, passwords


def hashed(password: str) -> str:
    """As htpasswd writes it; the cheapest kind, for tests."""
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()


USERS = {"prometheus": hashed("right"), "other": hashed("else"), "long": hashed("x" * 100)}


async def hello(_scope: Any, _receive: Any, send: Any) -> None:
    """What is protected."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def status(users: dict[str, str], authorization: str | None) -> int:
    """What the protected application answers."""

    async def ask() -> int:
        transport = httpx.ASGITransport(BasicAuth(hello, lambda: users))
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            headers = {} if authorization is None else {"Authorization": authorization}
            return (await client.get("/", headers=headers)).status_code

    return asyncio.run(ask())


def basic(name: str, password: str) -> str:
    """The header of a login."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (basic("prometheus", "right"), 200),
        (basic("prometheus", "right").replace("Basic", "bAsIc"), 200),
        (basic("long", "x" * 100), 200),
        (basic("prometheus", "else"), 401),
        (basic("nobody", "right"), 401),
        (basic("prometheus", "nobody has this password"), 401),
        (basic("nobody", "nobody has this password"), 401),
        (basic("prometheus", ""), 401),
        (basic("prometheus", "right\0"), 401),
        (basic("", ""), 401),
        (None, 401),
        ("", 401),
        ("Basic", 401),
        ("Basic !!!", 401),
        ("Basic " + base64.b64encode(b"no colon").decode(), 401),
        ("Basic " + base64.b64encode(b"\xff:\xfe").decode(), 401),
        ("Bearer " + base64.b64encode(b"prometheus:right").decode(), 401),
    ],
)
def test_only_who_knows_a_password_gets_in(authorization: str | None, expected: int) -> None:
    """Everything else is 401, and no 500."""
    assert status(USERS, authorization) == expected


def test_without_users_everybody_gets_in() -> None:
    """An empty web configuration protects nothing."""
    assert status({}, None) == 200


def test_passwords_are_checked_once_and_changes_hold_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second scrape costs no bcrypt; a changed password and a removed user are out with the next request."""
    checks: list[bytes] = []
    real = passwords._matches

    def counted(password: bytes, stored: str) -> bool:
        checks.append(password)
        return real(password, stored)

    monkeypatch.setattr(passwords, "_matches", counted)
    users = dict(USERS)

    async def story() -> list[int]:
        transport = httpx.ASGITransport(BasicAuth(hello, lambda: users))
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            header = {"Authorization": basic("prometheus", "right")}
            answers = [(await client.get("/", headers=header)).status_code for _ in range(3)]
            assert len(checks) == 1
            users["prometheus"] = hashed("new")
            answers.append((await client.get("/", headers=header)).status_code)
            del users["prometheus"]
            answers.append((await client.get("/", headers=header)).status_code)
            return answers

    assert asyncio.run(story()) == [200, 200, 200, 401, 401]


def test_names_that_are_not_there_cost_a_check_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown name is compared with a hash as dear as those of the known ones."""
    compared: list[str] = []

    def noted(_: bytes, stored: str) -> bool:
        compared.append(stored)
        return False

    monkeypatch.setattr(passwords, "_matches", noted)
    assert status(USERS, basic("nobody", "right")) == 401
    assert compared == [USERS["prometheus"]]


def test_guesses_push_no_right_password_out_and_take_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """While strangers guess, who was let in once costs no bcrypt, and checks never run side by side."""
    checked, running, most = [], [], []
    real = passwords._matches

    def noted(password: bytes, stored: str) -> bool:
        running.append(password)
        most.append(len(running))
        try:
            return real(password, stored)
        finally:
            running.pop()
            checked.append(password)

    monkeypatch.setattr(passwords, "_matches", noted)

    async def story() -> set[int]:
        transport = httpx.ASGITransport(BasicAuth(hello, lambda: USERS))
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:

            async def ask(password: str) -> int:
                return (await client.get("/", headers={"Authorization": basic("prometheus", password)})).status_code

            assert await ask("right") == 200
            refused = set(await asyncio.gather(*(ask(f"guess {number}") for number in range(120))))
            assert await ask("right") == 200
            return refused

    assert asyncio.run(story()) == {401}
    assert (checked.count(b"right"), max(most)) == (1, 1)


def test_a_user_who_was_removed_is_out_though_another_has_the_same_hash() -> None:
    """What is remembered of a login doesn't outlive its name."""
    users = {"gone": USERS["prometheus"], "stays": USERS["prometheus"]}
    app = BasicAuth(hello, lambda: users)

    async def story() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as client:
            header = {"Authorization": basic("gone", "right")}
            first = (await client.get("/", headers=header)).status_code
            del users["gone"]
            return [first, (await client.get("/", headers=header)).status_code]

    assert asyncio.run(story()) == [200, 401]
