"""Every command of the documentation is run, or stands in classification.yaml with the reason why it can't be."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sereno_postmortems.store import IncidentStore
from sereno_postmortems.webhook import Delivery, read_delivery
from support.alertmanager import running_alertmanager
from support.document_shell import Sandbox, Step, repository_copy
from support.documents import Statement, named_files, pages, statements
from support.dora import deployed, store_with
from support.incidents import PAGE, SLO, at, reported, webhook, webhook_config
from support.spent_budget import SPEC, running_shop
from support.warm_command import warm_sereno

pytestmark = pytest.mark.xdist_group("docs-commands")
HERE = Path(__file__).parent
ROWS: list[dict[str, Any]] = yaml.safe_load((HERE / "classification.yaml").read_text(encoding="utf-8"))
PREPARING: dict[str, str] = yaml.safe_load((HERE / "preparing.yaml").read_text(encoding="utf-8"))
PAGES = [page for page in pages() if statements(page)]
EVERYTHING = os.environ.get("SERENO_TESTS") == "all"
RUN = {"run", "serve", *(["long"] if EVERYTHING else [])}
STARTS_ITS_SERVERS = {"docs/tutorial.md"}


def row_of(statement: Statement) -> dict[str, Any]:
    """What the table says of a statement."""
    for row in ROWS:
        if re.match(row["match"], statement.text) and re.fullmatch(row.get("page", ".*"), statement.page):
            return row
    return {"how": "run"}


def steps_of(page: str) -> list[Step]:
    """Those of its statements that can be run here."""
    known = [(statement, row_of(statement)) for statement in statements(page)]
    return [
        Step(
            statement,
            row["how"] == "serve",
            row.get("exits", 0),
            row.get("with", ""),
            row.get("until", ""),
            "" if EVERYTHING else row.get("quick", ""),
        )
        for statement, row in known
        if row["how"] in RUN
    ]


@dataclass(frozen=True)
class World:
    """What all pages share: a repository to copy, programs, servers."""

    repository: Path
    programs: Path
    ports: dict[str, str]
    variables: dict[str, str]
    """Environment of what prepares a page."""


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A real Prometheus and a real Alertmanager, and `sereno` ready to run."""
    folder = tmp_path_factory.mktemp("docs")
    config = webhook_config(folder, "http://127.0.0.1:9/")
    with (
        running_shop(folder / "prometheus") as prometheus,
        running_alertmanager(config, folder / "alertmanager") as alertmanager,
        warm_sereno(folder / "warm") as programs,
    ):
        ports = {"9090": prometheus.url.rpartition(":")[2], "9093": alertmanager.url.rpartition(":")[2]}
        yield World(repository_copy(folder / "repository"), programs, ports, stores(folder))


def stores(folder: Path) -> dict[str, str]:
    """An incident that is over and one that is open, a deployment, and the spec of the recorded past, as files."""
    incidents, devops, spec = folder / "incidents.sqlite", folder / "devops.sqlite", folder / "shop.slo.yaml"
    store = IncidentStore(incidents)
    store.prepare()
    for alert in (
        reported(PAGE, at(2, 10), at(3)),
        reported(PAGE | {"service": "shop"}, at(2, 20), at(2, 50)),
        reported(PAGE | {"service": "shop", "slo": "calls"}, datetime.now(UTC) - timedelta(minutes=30)),
    ):
        body = json.dumps(webhook([alert], groupLabels=SLO)).encode()
        delivery = read_delivery(body, datetime.now(UTC))
        assert isinstance(delivery, Delivery)
        store.record(delivery, body)
    store_with(devops, deployed("145988746", datetime.now(UTC) - timedelta(days=1), "ana"))
    spec.write_text(SPEC, encoding="utf-8")
    return {"INCIDENTS": str(incidents), "DEVOPS": str(devops), "SHOP": str(spec)}


@pytest.mark.parametrize("page", [page for page in PAGES if steps_of(page)])
def test_what_a_page_tells_to_type_works(page: str, world: World, tmp_path: Path) -> None:
    """Its commands, in its order, in one shell, end as they should."""
    folder = tmp_path / "repository"
    shutil.copytree(world.repository, folder, symlinks=True)
    ports = {} if page in STARTS_ITS_SERVERS else dict(world.ports)
    sandbox = Sandbox(folder, world.programs, ports, world.variables)
    outcomes = sandbox.run(steps_of(page), PREPARING.get(page, ""), named_files(page))
    wrong = [str(outcome) for outcome in outcomes if not outcome.is_right]
    assert not wrong, "\n\n".join(wrong)
