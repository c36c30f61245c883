"""What a standard exporter serves when nothing answers behind it, and whether the page about that sees it."""

from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from support.certificates import authority
from support.nginx import PROGRAM as NGINX
from support.nginx import running_nginx
from support.ports import free_port
from support.prometheus import stop
from support.standard_exporters import (
    Watched,
    blackbox_exporter,
    exporter,
    nginx_watched,
    postgres_exporter,
    program,
)
from support.watching import RULES, watching

NEEDED = ("postgres", "redis", "nginx", "elasticsearch", "blackbox")
DOWN = {
    "postgresql": "PostgreSQLDown",
    "redis": "RedisDown",
    "nginx": "NginxDown",
    "elasticsearch": "ElasticsearchDown",
    "blackbox": "BlackboxProbeFailing",
    "rabbitmq": "RabbitMQDown",
    "standard": "ExporterDown",
}
pytestmark = [
    pytest.mark.skipif(NGINX is None or not all(map(program, NEEDED)), reason="needs exporters: make test-tools"),
    pytest.mark.xdist_group("standard-exporters"),
]


def condition(name: str, alert: str) -> str:
    """The expression of an alert."""
    groups = yaml.safe_load((RULES / f"{name}.rules.yaml").read_text(encoding="utf-8"))["groups"]
    (found,) = [rule["expr"] for group in groups for rule in group["rules"] if rule.get("alert") == alert]
    return str(found)


def test_a_server_that_is_gone_is_seen(tmp_path: Path) -> None:
    """Before ports where nobody listens, the condition of each page about a server that is down holds."""
    nobody = f"127.0.0.1:{free_port()}"
    trusted = authority(tmp_path)
    with ExitStack() as stack:
        start = stack.enter_context
        server = start(running_nginx(tmp_path / "nginx"))
        watched = {
            "postgresql": Watched((start(postgres_exporter(tmp_path, f"postgresql://nobody@{nobody}/postgres")),)),
            "redis": Watched((start(exporter("redis", tmp_path, f"-redis.addr=redis://{nobody}", dashes="-")),)),
            "nginx": Watched((start(nginx_watched(tmp_path, server)),)),
            "elasticsearch": Watched((start(exporter("elasticsearch", tmp_path, f"--es.uri=http://{nobody}")),)),
            "blackbox": Watched((f"https://{nobody}/",), exporter=start(blackbox_exporter(tmp_path, trusted.path))),
            "rabbitmq": Watched((nobody,)),
            "node": Watched((nobody,)),
        }
        stop(server.process)
        # PostgreSQL's exporter tries for a second before it says 0.
        prometheus = start(watching(tmp_path, watched, interval="2s"))
        conditions = {alert: condition(name, alert) for name, alert in DOWN.items()}

        def those_unseen() -> list[str]:
            return [alert for alert, expr in conditions.items() if not prometheus.ask(expr)]

        assert prometheus.once_there(those_unseen) == []
