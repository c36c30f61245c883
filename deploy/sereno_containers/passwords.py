"""Passwords of the composition: made by chance at the first start, kept in a volume, never shown and never in git.

`<folder>/<who reads>/<name>`: each container mounts its own folder of the volume, and sees no other's.
"""

import secrets
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import yaml

_BCRYPT_COST = 10
_READ_BY_ALL, _READ_BY_US = 0o444, 0o400
"""Containers run as users of their own: what guards a file is that others don't mount its folder."""

ELASTICSEARCH_USERS = ("elastic", "kibana_system", "sereno_collector", "sereno_reader", "sereno_monitor")
PEOPLE, PROMETHEUS, ALERTMANAGER = "sereno", "prometheus", "alertmanager"
"""Who may ask Sereno's own parts, by the names that their `--web-config` has."""

_VALUES = (*(f"elasticsearch-{user}" for user in ELASTICSEARCH_USERS), "grafana-admin",
           *(f"web-{user}" for user in (PEOPLE, PROMETHEUS, ALERTMANAGER)))  # fmt: skip
WEBHOOK = "devops-webhook"
_KIBANA_KEYS = ("security", "encryptedSavedObjects", "reporting")


@dataclass(frozen=True, slots=True)
class Reader:
    """A container that reads passwords."""

    files: Mapping[str, str]
    """Names of its files, and the value that each holds."""
    texts: Mapping[str, str]
    """Names of its files, and what stands in them as it is."""
    users: tuple[str, ...] = ()
    """Whom its `web.yml` lets in."""


def _of_elasticsearch(user: str) -> Reader:
    return Reader({"elasticsearch-password": f"elasticsearch-{user}"}, {"elasticsearch-user": user})


READERS: Mapping[str, Reader] = {
    "elasticsearch": Reader({"password": "elasticsearch-elastic"}, {}),
    "accounts": Reader({user: f"elasticsearch-{user}" for user in ELASTICSEARCH_USERS}, {}),
    "grafana": Reader({"admin-password": "grafana-admin", "elasticsearch-password": "elasticsearch-sereno_reader"}, {}),
    "collector": _of_elasticsearch("sereno_collector"),
    "elasticsearch-exporter": _of_elasticsearch("sereno_monitor"),
    "prometheus": Reader({"password": f"web-{PROMETHEUS}"}, {}),
    "alertmanager": Reader({"password": f"web-{ALERTMANAGER}"}, {}),
    # Each has the password of `prometheus`, too: its own health is asked as Prometheus would.
    "incidents": Reader({"health": f"web-{PROMETHEUS}"}, {}, (PEOPLE, PROMETHEUS, ALERTMANAGER)),
    "portal": Reader(
        {
            "health": f"web-{PROMETHEUS}",
            "password": f"web-{PEOPLE}",
            "elasticsearch-password": "elasticsearch-sereno_reader",
        },
        {"elasticsearch-user": "sereno_reader"},
        (PEOPLE, PROMETHEUS),
    ),
    "devops": Reader(
        {
            "health": f"web-{PROMETHEUS}",
            "webhook": WEBHOOK,
            "elasticsearch-password": "elasticsearch-sereno_collector",
        },
        {"elasticsearch-user": "sereno_collector"},
        (PROMETHEUS,),
    ),
    "exporters": Reader({"health": f"web-{PROMETHEUS}"}, {}, (PROMETHEUS,)),
}
KIBANA = "kibana"
"""Its password stands in its whole configuration: it reads none from a file of its own."""


def write_passwords(folder: Path, systems: Iterable[str]) -> None:
    """Write what is missing; what is there stays, so that a second start changes nothing. Raises OSError."""
    _put(folder / "values" / WEBHOOK, _webhook_secret(), _READ_BY_US)
    values = {name: _value(folder / "values" / name) for name in (*_VALUES, WEBHOOK)}
    for name, reader in READERS.items():
        for file, value in reader.files.items():
            _put(folder / name / file, values[value])
        for file, text in reader.texts.items():
            _put(folder / name / file, text)
        if reader.users:
            _put(folder / name / "web.yml", _web_config({user: values[f"web-{user}"] for user in reader.users}))
    for system in systems:
        _put(folder / "systems" / system / "postgresql", secrets.token_urlsafe(24))
    _put(folder / KIBANA / "kibana.yml", _kibana(values["elasticsearch-kibana_system"]))


def _webhook_secret() -> str:
    """As the specification of standard webhooks writes one."""
    return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"


def _value(path: Path) -> str:
    _put(path, secrets.token_urlsafe(24), _READ_BY_US)
    return path.read_text(encoding="utf-8")


def _put(path: Path, text: str, mode: int = _READ_BY_ALL) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")  # a start that is broken off leaves no half of a password
    unfinished.write_text(text, encoding="utf-8")
    unfinished.chmod(mode)
    unfinished.replace(path)


def _web_config(passwords: Mapping[str, str]) -> str:
    """Prometheus' web configuration, with a hash for each user."""
    hashed = {
        user: bcrypt.hashpw(password.encode(), bcrypt.gensalt(_BCRYPT_COST)).decode()
        for user, password in passwords.items()
    }
    return yaml.safe_dump({"basic_auth_users": hashed})


def _kibana(password: str) -> str:
    return yaml.safe_dump(
        {
            "server.host": "0.0.0.0",  # noqa: S104 - its container; it is published on loopback
            "server.publicBaseUrl": "http://localhost:5601",
            "elasticsearch.hosts": ["http://elasticsearch:9200"],
            "elasticsearch.username": "kibana_system",
            "elasticsearch.password": password,
            "telemetry.optIn": False,
            **{f"xpack.{part}.encryptionKey": secrets.token_hex(32) for part in _KIBANA_KEYS},
        }
    )
