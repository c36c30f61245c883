"""Every command of the documentation is run, or stands in classification.yaml with the reason why it can't be."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sereno_postmortems.store import IncidentStore
from sereno_postmortems.webhook import Delivery, read_delivery
from support.alertmanager import running_alertmanager
from support.command_parsers import refused
from support.document_shell import Sandbox, Step, repository_copy
from support.documents import ROOT, Statement, named_files, pages, statements
from support.dora import deployed, store_with
from support.incidents import PAGE, SLO, at, reported, webhook, webhook_config
from support.spent_budget import SPEC, running_shop
from support.warm_command import warm_sereno

from benchmarks.simulation import Series, write

pytestmark = pytest.mark.xdist_group("docs-commands")
HERE = Path(__file__).parent
ROWS: list[dict[str, Any]] = yaml.safe_load((HERE / "classification.yaml").read_text(encoding="utf-8"))
PREPARING: dict[str, str] = yaml.safe_load((HERE / "preparing.yaml").read_text(encoding="utf-8"))
PAGES = [page for page in pages() if statements(page)]
EVERYTHING = os.environ.get("SERENO_TESTS") == "all"
RUN = {"run", "serve", "start", "any", *(["long"] if EVERYTHING else [])}
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
            row["how"] in {"serve", "start"},
            row["how"] == "start",
            (0, 1) if row["how"] == "any" else (0,),
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
        write(prometheus, checkout_series())
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
    checkout = folder / "checkout.slo.yaml"
    checkout.write_text(CHECKOUT, encoding="utf-8")
    return {"INCIDENTS": str(incidents), "DEVOPS": str(devops), "SHOP": str(spec), "CHECKOUT": str(checkout)}


CHECKOUT = """\
version: sereno/v1
service: checkout
owner: payments
slos:
  - name: availability
    objective: 99.9
    indicator:
      ratio: {metric: http_requests_total, match: 'job="checkout"', bad: 'code=~"(5..|429)"'}
"""


def checkout_series() -> Iterator[Series]:
    """Raw series of the last two hours, of which no rule has recorded anything."""
    end = int(time.time()) * 1000
    times = np.arange(end - 2 * 3_600_000, end, 30_000, dtype=np.int64)
    target = {"job": "checkout", "instance": "a:1"}
    yield Series({"__name__": "up", **target}, times, np.ones(len(times)))
    yield Series(
        {"__name__": "process_start_time_seconds", **target}, times, np.full(len(times), end / 1000 - 90_000.0)
    )
    for code, growth in (("200", 50.0), ("500", 0.25)):
        yield Series(
            {"__name__": "http_requests_total", **target, "code": code},
            times,
            np.arange(len(times), dtype=np.float64) * growth,
        )


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


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_run_is_understood(page: str) -> None:
    """Its shell reads it; where the program is ours, or make's, the arguments are accepted."""
    rest = [(one, row_of(one)["how"]) for one in statements(page)]
    wrong = [
        f"{one}\n  {said}" for one, how in rest if how in {"parse", "words", "long"} and (said := not_read(one, how))
    ]
    assert not wrong, "\n".join(wrong)


def not_read(statement: Statement, how: str) -> str:
    """Why a statement is wrong; nothing where it isn't."""
    shell = subprocess.run(
        ["bash", "-n"], input=statement.text, capture_output=True, text=True, check=False, timeout=10
    )
    return shell.stderr or ("" if how == "words" else refused(statement.text))


def test_examples_of_help_are_understood() -> None:
    """Each line of docs/cli.md that begins with the command is one that its parser takes."""
    lines = (ROOT / "docs/cli.md").read_text(encoding="utf-8").splitlines()
    examples = [line.strip() for line in lines if re.match(r" +sereno [a-z]", line)]
    assert len(examples) > 50
    wrong = [f"{example}: {said}" for example in examples if (said := refused(example))]
    assert not wrong, "\n".join(wrong)


def test_every_line_of_the_table_is_needed() -> None:
    """A line that matches nothing, or a page that is gone, is found; what isn't run has its reason."""
    met = [id(row_of(statement)) for page in PAGES for statement in statements(page)]
    assert [row["match"] for row in ROWS if id(row) not in met] == []
    assert [
        row["match"] for row in ROWS if row["how"] in {"parse", "words", "any", "long"} and not row.get("why")
    ] == []
    assert sorted(set(PREPARING) - set(PAGES)) == []
