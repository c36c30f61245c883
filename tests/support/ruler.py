"""Rulers for tests: a stand-in always, a real Mimir where there is one.

The stand-in is no Mimir: it keeps groups in memory and evaluates nothing. It stands where the real part can't (no
package of Debian has Mimir, and building it takes longer than all tests). What it answers was compared, request by
request, with a Mimir built from its sources (docs/engines.md); the same tests run on a real one when `mimir` is on
PATH. What it knows of the API: rule groups by tenant and namespace, the content type, tenants, limits, the 404 of
Cortex for a tenant without groups, and fields that an old ruler drops.
"""

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import yaml

from support.ports import free_port
from support.prometheus import running

PATH = "/prometheus/config/v1/rules"
_TAKEN = json.dumps({"status": "success", "data": None, "errorType": "", "error": ""})
Answer = tuple[int, str]


@dataclass
class StandIn:
    """What the stand-in has, and how it behaves. Tests change it while it runs."""

    url: str = ""
    groups: dict[str, dict[str, dict[str, Mapping[str, Any]]]] = field(default_factory=dict)
    """By tenant, namespace and name."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Methods and paths of what changes something."""
    most_rules: int = 1000
    most_groups: int = 1000
    token: str = ""
    """Required, where it is not empty."""
    dropped: tuple[str, ...] = ()
    """Fields of rules that this ruler is too old for."""
    says_empty_as_cortex: bool = False
    lists: str | None = None
    """Instead of the groups."""
    fails_after: int | None = None
    """So many changes are taken; then every one ends with 500."""

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: str) -> Answer:
        """As Mimir answers, in the order in which it looks."""
        tenant = headers.get("x-scope-orgid", "")
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            return 401, "invalid authentication credentials"
        if not (tenant and path.startswith(PATH)):
            return (404, "404 page not found\n") if tenant else (401, "no org id\n")
        place = [unquote(part) for part in path.removeprefix(PATH).strip("/").split("/") if part]
        mine = self.groups.setdefault(tenant, {})
        if method == "GET":
            return self._listed(mine)
        self.requests.append((method, path))
        if self.fails_after is not None and len(self.requests) > self.fails_after:
            return 500, "unable to store rule group\n"
        if method == "DELETE":
            gone = mine.get(place[0], {}).pop(place[1], None)
            return (202, _TAKEN) if gone else (404, "group does not exist\n")
        return self._saved(mine, place[0], headers, body)

    def _listed(self, mine: Mapping[str, Mapping[str, Any]]) -> Answer:
        if self.lists is not None:
            return 200, self.lists
        listed = {namespace: list(groups.values()) for namespace, groups in mine.items() if groups}
        if not listed and self.says_empty_as_cortex:
            return 404, "no rule groups found\n"
        return 200, yaml.safe_dump(listed, sort_keys=False, allow_unicode=True)

    def _saved(self, mine: dict[str, Any], namespace: str, headers: Mapping[str, str], body: str) -> Answer:
        if headers.get("content-type") != "application/yaml":
            return 500, "failed to parse request params for activity tracking\n"
        group = yaml.safe_load(body)
        rules, name = group["rules"], group["name"]
        if len(rules) > self.most_rules:
            said = f"limit: {self.most_rules} actual: {len(rules)}"
            return 400, f"per-user rules per rule group limit ({said}) exceeded\n"
        count = sum(map(len, mine.values())) + (name not in mine.get(namespace, {}))
        if count > self.most_groups:
            return 400, f"per-user rule groups limit (limit: {self.most_groups} actual: {count}) exceeded\n"
        kept = [{key: value for key, value in rule.items() if key not in self.dropped} for rule in rules]
        mine.setdefault(namespace, {})[name] = {**group, "rules": kept}
        return 202, _TAKEN


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """The stand-in, on a free port of loopback."""
    ruler = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is http.server's
            self._answer()

        do_POST = do_DELETE = do_GET  # noqa: N815 - the names are http.server's

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, text = ruler.answer(self.command, self.path, headers, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ruler.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield ruler
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def mimir(directory: Path) -> Iterator[str]:
    """The address of a real Mimir's ruler; skips where the program isn't on PATH."""
    if shutil.which("mimir") is None:
        pytest.skip("mimir is not on PATH (docs/engines.md tells how to build it); the stand-in is tested")
    port, grpc = free_port(), free_port()
    config = directory / "mimir.yaml"
    store = {"backend": "filesystem", "filesystem": {"dir": str(directory / "rules")}}
    document = {
        "multitenancy_enabled": True,
        "usage_stats": {"enabled": False},
        "limits": {"ruler_max_rules_per_rule_group": 0, "ruler_max_rule_groups_per_tenant": 0},
        "server": {
            "http_listen_address": "127.0.0.1",
            "http_listen_port": port,
            "grpc_listen_address": "127.0.0.1",
            "grpc_listen_port": grpc,
        },
        "memberlist": {"bind_addr": ["127.0.0.1"], "bind_port": free_port()},
        "ruler_storage": store,
        "blocks_storage": {"backend": "filesystem", "filesystem": {"dir": str(directory / "blocks")}},
        "ruler": {
            "rule_path": str(directory / "evaluated"),
            "ring": {"instance_addr": "127.0.0.1", "kvstore": {"store": "inmemory"}},
        },
    }
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    command = ["mimir", f"-config.file={config}", "-target=ruler"]
    with running(command, url=f"http://127.0.0.1:{port}", log=directory / "mimir.log", ready_path="/ready") as server:
        yield server.url


def groups_at(url: str, tenant: str) -> dict[str, list[dict[str, Any]]]:
    """What a ruler has, asked without the client under test."""
    answer = httpx.get(f"{url}{PATH}", headers={"X-Scope-OrgID": tenant}, trust_env=False)
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(answer.text) if answer.is_success else {}
    return found


def put_group(url: str, tenant: str, namespace: str, group: Mapping[str, Any]) -> None:
    """A group that somebody else makes."""
    headers = {"X-Scope-OrgID": tenant, "Content-Type": "application/yaml"}
    answer = httpx.post(f"{url}{PATH}/{namespace}", headers=headers, content=yaml.safe_dump(group), trust_env=False)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
