"""Users of Elasticsearch, each with what it needs: made, or given their passwords again, at each start."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from sereno_cli.demo.places import DemoError

_LOGS = "logs-*-*"
ROLES: Mapping[str, Mapping[str, Any]] = {
    # As docs/logs/elasticsearch.md says.
    "sereno_collector": {
        "cluster": ["monitor", "manage_index_templates"],
        "indices": [{"names": [_LOGS], "privileges": ["create_doc", "create_index", "read", "maintenance"]}],
    },
    "sereno_reader": {"indices": [{"names": [_LOGS], "privileges": ["read", "view_index_metadata"]}]},
    "sereno_monitor": {"cluster": ["monitor"], "indices": [{"names": ["*"], "privileges": ["monitor"]}]},
}
"""Each the role of a user of the same name."""
_BUILT_IN = ("kibana_system",)
_TIMEOUT_SECONDS = 30


def make_accounts(url: str, passwords: Path, *, transport: httpx.BaseTransport | None = None) -> tuple[str, ...]:
    """Make roles and users, and set the password of Kibana's; the names of all users.

    Args:
        url: of Elasticsearch.
        passwords: a folder with the password of each, and of `elastic`.
        transport: how it is reached.

    Raises:
        DemoError: a file can't be read, or the server refuses or can't be reached.
    """
    try:
        known = {path.name: path.read_text(encoding="utf-8").strip() for path in passwords.iterdir() if path.is_file()}
        with httpx.Client(
            base_url=url, auth=("elastic", known["elastic"]), timeout=_TIMEOUT_SECONDS, transport=transport
        ) as client:
            for name, role in ROLES.items():
                _put(client, f"/_security/role/{name}", role)
                _put(client, f"/_security/user/{name}", {"password": known[name], "roles": [name]})
            for name in _BUILT_IN:
                _put(client, f"/_security/user/{name}/_password", {"password": known[name]})
    except KeyError as error:
        raise DemoError(f"{passwords} has no password of {error}") from None
    except OSError as error:
        raise DemoError(f"{error.filename}: {error.strerror}") from None
    except httpx.HTTPError as error:
        raise DemoError(f"Elasticsearch can't be reached at {url}: {error}") from None
    return (*ROLES, *_BUILT_IN)


def _put(client: httpx.Client, path: str, document: Mapping[str, Any]) -> None:
    answer = client.put(path, json=document)
    if answer.is_error:
        raise DemoError(f"Elasticsearch refuses {path} ({answer.status_code}): {answer.text[:500]}")
