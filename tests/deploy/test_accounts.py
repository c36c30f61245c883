"""Users of Elasticsearch. The tests' server has no security: one that keeps what it is told stands for it."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sereno_cli.demo.places import DemoError
from sereno_containers.accounts import make_accounts
from sereno_containers.passwords import ELASTICSEARCH_USERS, write_passwords


class Keeper(ThreadingHTTPServer):
    """Keeps what is put by `elastic` with the right password; refuses others."""

    def __init__(self, password: str) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.password = password
        self.kept: dict[str, Any] = {}


class _Handler(BaseHTTPRequestHandler):
    server: Keeper

    def do_PUT(self) -> None:
        """Keep it."""
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wanted = base64.b64encode(f"elastic:{self.server.password}".encode()).decode()
        let_in = self.headers["Authorization"] == f"Basic {wanted}"
        if let_in:
            self.server.kept[self.path] = document
        self.send_response(200 if let_in else 401)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_arguments: object) -> None:
        """Not to the screen."""


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    """As the container has them."""
    write_passwords(tmp_path, ())
    return tmp_path / "accounts"


@pytest.fixture
def keeper(passwords: Path) -> Iterator[Keeper]:
    """It runs."""
    with Keeper((passwords / "elastic").read_text(encoding="utf-8")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_each_user_has_its_password_and_its_role_alone(passwords: Path, keeper: Keeper) -> None:
    """Users are made with the passwords that their containers read; none is a superuser; a second time is the same."""
    url = f"http://127.0.0.1:{keeper.server_port}"
    made = make_accounts(url, passwords)
    assert {*made, "elastic"} == set(ELASTICSEARCH_USERS)
    for name in made:
        user = keeper.kept.get(f"/_security/user/{name}") or keeper.kept[f"/_security/user/{name}/_password"]
        assert user["password"] == (passwords / name).read_text(encoding="utf-8")
        for role in user.get("roles", ()):
            assert role == name
            assert f"/_security/role/{role}" in keeper.kept
    before = dict(keeper.kept)
    make_accounts(url, passwords)
    assert keeper.kept == before


def test_readers_can_not_write(passwords: Path, keeper: Keeper) -> None:
    """Only the collector's role may create documents, and nobody may delete any."""
    make_accounts(f"http://127.0.0.1:{keeper.server_port}", passwords)
    for path, role in keeper.kept.items():
        if path.startswith("/_security/role/"):
            granted = {privilege for each in role["indices"] for privilege in each["privileges"]}
            assert not granted & {"all", "delete", "delete_index", "write", "manage"}
            assert ("create_doc" in granted) == path.endswith("sereno_collector")


def test_refusals_are_told(passwords: Path, keeper: Keeper, tmp_path: Path) -> None:
    """A wrong password, a missing one, and a server that isn't there are messages."""
    url = f"http://127.0.0.1:{keeper.server_port}"
    keeper.password = "another"  # noqa: S105
    with pytest.raises(DemoError, match=r"refuses /_security/role/sereno_collector \(401\)"):
        make_accounts(url, passwords)
    with pytest.raises(DemoError, match=r"can't be reached at http://127\.0\.0\.1:1"):
        make_accounts("http://127.0.0.1:1", passwords)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DemoError, match="has no password of 'elastic'"):
        make_accounts(url, tmp_path / "empty")
