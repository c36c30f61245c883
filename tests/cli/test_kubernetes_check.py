"""`sereno kubernetes check`: asked of a real Prometheus."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from support.ports import free_port
from support.prometheus import RunningProcess, running

RULES = """
groups:
  - name: sereno:checkout:availability:1m
    interval: 1s
    rules: [{record: a, expr: vector(1)}]
  - name: sereno:broken:availability:1m
    interval: 1s
    rules: [{record: b, expr: 'up + on () group_left label_replace(up, "x", "y", "", "")'}]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProcess]:
    """It scrapes itself as sereno-portal, and somebody who isn't there as sereno-devops."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "our.rules.yaml").write_text(RULES, "utf-8")
    port, nobody = free_port(), free_port()
    config = f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{folder}/our.rules.yaml]
scrape_configs:
  - {{job_name: sereno-portal, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
  - {{job_name: sereno-devops, static_configs: [{{targets: ["127.0.0.1:{nobody}"]}}]}}
"""
    (folder / "prometheus.yml").write_text(config, "utf-8")
    flags: dict[str, object] = {"config.file": folder / "prometheus.yml", "storage.tsdb.path": folder / "data"}
    flags["web.listen-address"] = f"127.0.0.1:{port}"
    command = ["prometheus", *(f"--{name}={value}" for name, value in flags.items())]
    with running(command, url=f"http://127.0.0.1:{port}", log=folder / "log") as started:
        yield started


@dataclass(frozen=True, slots=True)
class Answer:
    """What a user gets."""

    exit_code: int
    output: str


def _check(url: str, *arguments: str) -> Answer:
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = run(["kubernetes", "check", "--prometheus", url, *arguments])
    return Answer(code, output.getvalue())


def test_what_is_scraped_and_loaded_is_well(server: RunningProcess) -> None:
    """It waits until Prometheus has taken everything up."""
    answer = _check(server.url, "--job", "sereno-portal", "--service", "checkout", "--wait", "30")
    assert answer.exit_code == ExitCode.OK, answer.output
    assert answer.output == "1 jobs are scraped, the rules of 1 services evaluate\n"


def test_everything_that_is_missing_is_told(server: RunningProcess) -> None:
    """A job without targets, a target that is down, a service without rules, a rule that can't be evaluated."""
    assert _check(server.url, "--job", "sereno-portal", "--wait", "30").exit_code == ExitCode.OK
    jobs = ("--job", "sereno-portal", "--job", "sereno-devops", "--job", "sereno-collector")
    answer = _check(
        server.url, *jobs, "--service", "checkout", "--service", "users", "--service", "broken", "--wait", "3"
    )
    assert answer.exit_code == ExitCode.ANSWER_IS_NO
    lines = answer.output.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "job sereno-devops",
        "no target of job sereno-collector",
        "no rules of service users",
        "service broken",
    ]


def test_a_server_that_cannot_be_asked_is_told() -> None:
    """Nobody there, no address, nothing to look for."""
    assert _check("http://127.0.0.1:1", "--job", "a").exit_code == ExitCode.UNREACHABLE
    assert _check("ftp://a", "--job", "a").exit_code == ExitCode.INVALID_INPUT
    nothing = _check("http://127.0.0.1:1")
    assert nothing.exit_code == ExitCode.INVALID_INPUT
    assert "--job, --service" in nothing.output
