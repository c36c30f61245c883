"""`sereno push` on a ruler: differences first, only those are sent, only what is Sereno's is removed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sereno_cli.exit_codes import ExitCode
from sereno_cli.main import run
from support.ports import free_port
from support.ruler import StandIn, groups_at, mimir, put_group, stand_in
from support.slo_specs import spec_text

SECOND = "  - name: answers\n    objective: 99\n    indicator: {probe: {metric: probe_success}}\n"
THEIRS = {"name": "hosts", "rules": [{"alert": "HostDown", "expr": "up == 0", "labels": {"service": "api"}}]}
LOOKS_LIKE_OURS = {
    "name": "sereno:api:mine:1m",
    "rules": [{"record": "a:b", "expr": "up", "labels": {"service": "api"}}, {"record": "c:d", "expr": "up"}],
}


@dataclass(frozen=True)
class Said:
    """An answer of the command."""

    returncode: int
    stdout: str
    stderr: str


Push = Callable[..., Said]


@pytest.fixture
def push(repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Push:
    """`sereno push` in the repository, in this process: it is called some thirty times."""
    monkeypatch.chdir(repository)

    def called(*arguments: str) -> Said:
        code = run(["push", *arguments])
        return Said(code, *capsys.readouterr())

    return called


@pytest.fixture
def ruler() -> Iterator[StandIn]:
    """A stand-in, for tests that change how the ruler behaves."""
    with stand_in() as running:
        yield running


@pytest.fixture(params=["stand-in", "mimir"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ruler's address: the stand-in's, and a real Mimir's where there is one."""
    with stand_in() if request.param == "stand-in" else mimir(tmp_path_factory.mktemp("mimir")) as running:
        yield running.url if isinstance(running, StandIn) else running


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One service with two SLOs."""
    (tmp_path / "slo/specs").mkdir(parents=True)
    (tmp_path / "slo/specs/api.slo.yaml").write_text(spec_text() + SECOND, encoding="utf-8")
    return tmp_path


def _names(url: str, tenant: str = "a") -> set[str]:
    return {f"{namespace}/{group['name']}" for namespace, groups in groups_at(url, tenant).items() for group in groups}


OURS = {f"sereno-api/sereno:api:{slo}:{interval}" for slo in ("calls", "answers") for interval in ("1m", "5m")}


def test_the_second_push_sends_nothing(url: str, push: Push) -> None:
    """Dry run, push, push again: the groups are those of `--format mimir`, each tenant has its own."""
    tenants = ("--tenant", "a", "--tenant", "b")
    dry = push("--ruler", url, *tenants, "--dry-run")
    assert dry.returncode == ExitCode.ANSWER_IS_NO, dry.stderr
    assert dry.stdout.count("+ sereno-api/sereno:api:calls:1m") == len(("a", "b"))
    assert _names(url) == set()

    first = push("--ruler", url, *tenants)
    assert first.returncode == ExitCode.OK, first.stderr
    assert _names(url) == _names(url, "b") == OURS

    again = push("--ruler", url, *tenants)
    assert again.returncode == ExitCode.OK, again.stderr
    assert again.stdout.splitlines() == [f"tenant {one}: nothing to do, 4 groups as the specs say" for one in "ab"]
    assert push("--ruler", url, *tenants, "--dry-run").returncode == ExitCode.OK


def test_only_what_sereno_made_is_removed(url: str, repository: Path, push: Push) -> None:
    """An SLO that is gone takes its groups with it; what others have made stays, wherever it lies."""
    to = ("--ruler", url, "--tenant", "a")
    for namespace in ("sereno-api", "hosts", "sereno-other"):
        put_group(url, "a", namespace, THEIRS)
    put_group(url, "a", "sereno-api", LOOKS_LIKE_OURS)
    theirs = _names(url)
    assert push(*to).returncode == ExitCode.OK
    (repository / "slo/specs/api.slo.yaml").write_text(spec_text(objective="99.5"), encoding="utf-8")
    answer = push(*to)
    assert answer.returncode == ExitCode.OK, answer.stderr
    assert "- sereno-api/sereno:api:answers:1m" in answer.stdout
    assert "~ record sereno_slo_objective_ratio: expr" in answer.stdout
    assert _names(url) == theirs | {name for name in OURS if ":calls:" in name}

    (repository / "slo/specs/api.slo.yaml").rename(repository / "slo/specs/shop.slo.yaml")
    renamed = spec_text().replace("service: api", "service: shop")
    (repository / "slo/specs/shop.slo.yaml").write_text(renamed, encoding="utf-8")
    kept = push(*to)
    assert "sereno-api (--prune removes them)" in kept.stdout
    assert theirs < {name for name in _names(url) if "sereno:shop:" not in name}
    pruned = push(*to, "--prune")
    assert pruned.returncode == ExitCode.OK, pruned.stderr
    assert {name for name in _names(url) if "sereno:shop:" not in name} == theirs


def test_what_somebody_changed_is_brought_back(ruler: StandIn, push: Push) -> None:
    """A rule edited by hand is told by name and replaced; spellings of durations are no differences."""
    to = ("--ruler", ruler.url, "--tenant", "a")
    assert push(*to).returncode == ExitCode.OK
    group = dict(ruler.groups["a"]["sereno-api"]["sereno:api:calls:1m"])
    ruler.groups["a"]["sereno-api"]["sereno:api:calls:1m"] = {**group, "interval": "60s", "limit": 0}
    assert push(*to, "--dry-run").returncode == ExitCode.OK
    edited = [
        {**rule, "expr": "vector(0)"} if rule.get("alert") == "SLOBudgetExhausted" else rule for rule in group["rules"]
    ]
    ruler.groups["a"]["sereno-api"]["sereno:api:calls:1m"] = {**group, "rules": edited}
    answer = push(*to)
    assert answer.returncode == ExitCode.OK
    assert '    ~ alert SLOBudgetExhausted{severity="warning"}: expr\n' in answer.stdout
    assert ruler.groups["a"]["sereno-api"]["sereno:api:calls:1m"] == group


def test_a_tenant_without_groups_is_empty_for_cortex_too(ruler: StandIn, push: Push) -> None:
    """Cortex says 404 where Mimir says {}."""
    ruler.says_empty_as_cortex = True
    answer = push("--ruler", ruler.url, "--tenant", "a")
    assert answer.returncode == ExitCode.OK, answer.stderr


def test_limits_are_told_with_the_groups_that_were_pushed(ruler: StandIn, repository: Path, push: Push) -> None:
    """A group over a limit is named with the server's words; the others are pushed, and nothing is removed."""
    to = ("--ruler", ruler.url, "--tenant", "a")
    ruler.most_rules = 20
    answer = push(*to)
    assert answer.returncode == ExitCode.ANSWER_IS_NO
    assert "per-user rules per rule group limit (limit: 20 actual: " in answer.stderr
    assert "a: pushed: sereno-api/sereno:api:calls:5m, sereno-api/sereno:api:answers:5m\n" in answer.stderr
    assert "a: not pushed: sereno-api/sereno:api:calls:1m, sereno-api/sereno:api:answers:1m\n" in answer.stderr
    (repository / "slo/specs/api.slo.yaml").write_text(spec_text(), encoding="utf-8")
    assert push(*to).returncode == ExitCode.ANSWER_IS_NO
    assert not [method for method, _ in ruler.requests if method == "DELETE"]


def test_a_push_that_breaks_off_says_how_far_it_came(ruler: StandIn, push: Push) -> None:
    """A server that fails half-way: what was pushed, what wasn't, exit code 3; the next push does the rest."""
    to = ("--ruler", ruler.url, "--tenant", "a")
    ruler.fails_after = 1
    answer = push(*to)
    assert answer.returncode == ExitCode.UNREACHABLE
    assert "answered 500: unable to store rule group" in answer.stderr
    assert "pushed: sereno-api/sereno:api:calls:1m\n" in answer.stderr
    ruler.fails_after = None
    assert "3 groups pushed" in push(*to).stdout


def test_a_ruler_that_drops_fields_is_told(ruler: StandIn, repository: Path, push: Push) -> None:
    """What an old ruler takes but doesn't keep is no silent success."""
    text = spec_text(slo="    alerting: {keep_firing_for: 10m}\n")
    (repository / "slo/specs/api.slo.yaml").write_text(text, encoding="utf-8")
    ruler.dropped = ("keep_firing_for",)
    answer = push("--ruler", ruler.url, "--tenant", "a")
    assert answer.returncode == ExitCode.ANSWER_IS_NO
    assert "has it otherwise" in answer.stderr
    assert "keep_firing_for" in answer.stderr


def test_secrets_come_from_files_and_are_never_shown(ruler: StandIn, repository: Path, push: Push) -> None:
    """The right token opens, a wrong one is refused with the server's words; neither is printed."""
    ruler.token = "s3cret-right"  # noqa: S105 - the test's own
    (repository / "right").write_text("s3cret-right\n", encoding="utf-8")
    (repository / "wrong").write_text("s3cret-wrong\n", encoding="utf-8")
    to = ("--ruler", ruler.url, "--tenant", "a", "--token-file")
    assert push(*to, "right").returncode == ExitCode.OK
    answer = push(*to, "wrong")
    assert answer.returncode == ExitCode.UNREACHABLE
    assert "answered 401: invalid authentication credentials" in answer.stderr
    assert "s3cret" not in answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tenant", "a|b"], "is no tenant"),
        (["--token-file", "missing"], "missing can't be read"),
        (["--user", "me"], "--user and --password-file belong together"),
        (["--ca-file", "slo/specs/api.slo.yaml"], "holds no certificates"),
        (["--path", "/wrong", "--tenant", "a"], "answered 404: 404 page not found (is there a ruler's API at /wrong?"),
        ([], "answered 401: no org id (give --tenant"),
    ],
)
def test_arguments_that_can_not_work(arguments: list[str], said: str, ruler: StandIn, push: Push) -> None:
    """Each is told with its cure, and nothing is sent."""
    answer = push("--ruler", ruler.url, *arguments)
    assert answer.returncode in {ExitCode.INVALID_INPUT, ExitCode.UNREACHABLE}
    assert said in answer.stderr
    assert ruler.requests == []


@pytest.mark.parametrize(
    "listed",
    [
        "<html><body>Sign in</body></html>",
        "[1, 2]",
        "a: [{rules: []}]",
        "a: [{name: g, rules: [text]}]",
        "a: [{name: g, rules: [{labels: x}]}]",
        "a: 3",
        "{",
    ],
)
def test_what_is_no_rulers_answer_is_told(listed: str, ruler: StandIn, push: Push) -> None:
    """A login page, or groups that are none: exit code 3, nothing is sent, no traceback."""
    ruler.lists = listed
    answer = push("--ruler", ruler.url, "--tenant", "a")
    assert answer.returncode == ExitCode.UNREACHABLE
    assert "doesn't answer as a ruler does" in answer.stderr
    assert ruler.requests == []


def test_prune_needs_all_specs(ruler: StandIn, repository: Path, push: Push) -> None:
    """One named service mustn't remove all others."""
    (repository / "slo/specs/b.slo.yaml").write_text(spec_text().replace("service: api", "service: b"), "utf-8")
    arguments = ("slo/specs/b.slo.yaml", "--ruler", ruler.url, "--tenant", "a")
    answer = push(*arguments, "--prune")
    assert answer.returncode == ExitCode.INVALID_INPUT
    assert push(*arguments).returncode == ExitCode.OK
    assert set(ruler.groups["a"]) == {"sereno-b"}


def test_a_ruler_that_is_not_there(repository: Path, push: Push) -> None:
    """Exit code 3 and a message, for an empty port and for a spec with a mistake 2 before anything is asked."""
    url = f"http://127.0.0.1:{free_port()}"
    answer = push("--ruler", url)
    assert answer.returncode == ExitCode.UNREACHABLE
    assert "can't be reached" in answer.stderr
    (repository / "slo/specs/api.slo.yaml").write_text(spec_text(objective="0.9"), encoding="utf-8")
    wrong = push("--ruler", url)
    assert wrong.returncode == ExitCode.INVALID_INPUT
    assert "error[SLO012]" in wrong.stderr
