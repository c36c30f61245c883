"""`sereno exclude`: one line more in the spec, and nothing else of it changed."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sereno_slo import Settings, SourceFile, validate_specs
from sereno_slo.amending import NewExclusion, with_exclusion
from sereno_slo.calendars import Once
from support.command_line import sereno

SPEC = """\
# who reads this?
version: sereno/v1
service: shop
owner: web
slos:
  - name: calls   # the first
    objective: 99.9
    indicator: {ratio: {metric: requests_total, match: 'job="api"', bad: 'code=~"5.."'}}
"""
WITH_LIST = (
    SPEC
    + """\
exclusions:   # reviewed
    # the first of all
    - {reason: old, author: ana, once: {from: "2026-01-20T10:00:00Z", to: "2026-01-20T11:30:00Z"}}
gate: []
"""
)
TIMES = ("--from", "2026-11-20T10:00:00Z", "--for", "90m")
WHO = ("--reason", 'a "quoted" reason: #1', "--author", "ana")
LINE = (
    '- {reason: "a \\"quoted\\" reason: #1", author: "ana", '
    'once: {from: "2026-11-20T10:00:00Z", to: "2026-11-20T11:30:00Z"}}'
)
EXCLUSION = NewExclusion(datetime(2026, 11, 20, 10, tzinfo=UTC), datetime(2026, 11, 20, 11, tzinfo=UTC), "x", "y")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A repository with one spec."""
    path = tmp_path / "slo/specs/shop.slo.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(SPEC, encoding="utf-8")
    return path


def excluding(spec: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, called in the repository."""
    return sereno("exclude", *arguments, cwd=spec.parents[2])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SPEC, f"{SPEC}exclusions:\n  {LINE}\n"),
        (SPEC.rstrip("\n"), f"{SPEC}exclusions:\n  {LINE}\n"),
        (f"{SPEC}exclusions: []\n", f"{SPEC}exclusions:\n  {LINE}\n"),
        (WITH_LIST, WITH_LIST.replace("reviewed\n", f"reviewed\n    {LINE}\n")),
        (SPEC.replace("\n", "\r\n"), f"{SPEC}exclusions:\n  {LINE}\n".replace("\n", "\r\n")),
    ],
    ids=["no list", "no line feed at the end", "an empty list", "a list", "Windows"],
)
def test_a_line_is_added_and_nothing_else_changes(spec: Path, before: str, after: str) -> None:
    """Comments, order and line endings stay; the newest exclusion stands first."""
    spec.write_bytes(before.encode())
    result = excluding(spec, "shop", *TIMES, *WHO)
    assert result.returncode == 0, result.stderr
    assert spec.read_bytes().decode() == after
    assert LINE in result.stdout
    assert "sereno compile" in result.stdout


def test_what_is_written_is_what_was_meant(spec: Path) -> None:
    """The spec that comes out excludes just that time, of just that SLO."""
    result = excluding(spec, "shop/calls", *TIMES, *WHO)
    assert result.returncode == 0, result.stderr
    (service,) = validate_specs([SourceFile("x", spec.read_text(encoding="utf-8"))], Settings()).services
    (exclusion,) = service.slos[0].exclusions
    begin = datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp()
    assert exclusion.schedule == Once(begin, begin + 5400)
    assert (exclusion.reason, exclusion.author) == ('a "quoted" reason: #1', "ana")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop", *WHO), "say when it ends"),
        (("shop", *TIMES, "--to", "2026-11-20T10:00:00Z", *WHO), "either --for"),
        (("shop", "--from", "yesterday", "--for", "1h", *WHO), "'yesterday' is no moment"),
        (("shop", "--from", "2026-11-20T10:00:00", "--for", "1h", *WHO), "names no time zone"),
        (("shop", "--from", "2026-11-20T10:00:00Z", "--to", "2026-11-19T10:00:00Z", *WHO), "which is not after"),
        (("shop", "--for", "soon", *WHO), "'soon' is not a duration"),
        (("shop", *TIMES, "--reason", " ", "--author", "ana"), "needs a reason and an author"),
        (("shopp", *TIMES, *WHO), "no spec describes shopp; there are shop"),
        (("shop/latency", *TIMES, *WHO), "shop has no SLO latency; it has calls"),
        (("shop", *TIMES, *WHO, "--spec", "nowhere.yaml"), "no such file"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(spec: Path, arguments: tuple[str, ...], said: str) -> None:
    """Each mistake has its words and exit code 2."""
    result = excluding(spec, *arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert spec.read_text(encoding="utf-8") == SPEC
    assert list(spec.parent.iterdir()) == [spec]


def test_a_dry_run_prints_the_line_only(spec: Path) -> None:
    """For those who paste it themselves."""
    result = excluding(spec, "shop", *TIMES, *WHO, "--dry-run")
    assert (result.returncode, result.stdout) == (0, f"{LINE}\n")
    assert spec.read_text(encoding="utf-8") == SPEC


def test_a_list_in_one_line_is_left_to_people() -> None:
    """Its place is told, and the line to add."""
    text = SPEC + "exclusions: [{reason: x, author: y, once: {from: a, to: b}}]\n"
    told = with_exclusion(SourceFile("shop.slo.yaml", text), EXCLUSION)
    assert isinstance(told, str)
    assert told.startswith("shop.slo.yaml:9:1: exclusions stand in one line")
    assert EXCLUSION.line() in told


def test_journeys_and_what_other_specs_hold_are_known(spec: Path) -> None:
    """An exclusion may be a journey's, and the spec may depend on others: it isn't judged alone."""
    other = SPEC.replace("service: shop", "service: db").replace("calls", "queries")
    (spec.parent / "db.slo.yaml").write_text(other, encoding="utf-8")
    spec.write_text(f"{SPEC}journeys:\n  - {{name: buy, objective: 99, steps: [shop/calls, db/queries]}}\n", "utf-8")
    done = excluding(spec, "shop/buy", *TIMES, *WHO)
    assert (done.returncode, done.stderr) == (0, "")
    assert "slos: [buy]" in spec.read_text(encoding="utf-8")
