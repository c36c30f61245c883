"""Building: the files are the same by one process or several, from memory or anew; mistakes stop everything."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from sereno_slo import (
    FOLDER,
    REPOSITORY,
    Built,
    Difference,
    Order,
    Settings,
    SourceFile,
    build,
    check,
    compile_specs,
    has_errors,
)
from sereno_slo.building import memory
from sereno_slo.building.team import Outcome, Task
from sereno_slo.model import Service
from sereno_slo.render.artefact import ALL_KINDS, Kind
from support.command_line import files_below
from support.slo_specs import BAD_RATIO, GOOD_RATIO, LATENCY, TWO_METRICS, spec_text

INDICATORS = (BAD_RATIO, GOOD_RATIO, LATENCY, TWO_METRICS)
# Labels that nobody can guess: its behaviour tests are left out with a warning.
UNTESTABLE = (
    r"""{ratio: {metric: requests_total, match: 'job=~"(?:a|b){9}[^a]x", job!~"a.*|b.*"', bad: 'code="500"'}}"""
)


def _source(name: str, *, objective: str = "99.9", indicator: str = BAD_RATIO) -> SourceFile:
    text = spec_text(objective=objective, indicator=indicator).replace("service: api", f"service: {name}")
    return SourceFile(f"{name}.slo.yaml", text)


def _sources(count: int = 6) -> list[SourceFile]:
    return [_source(f"service-{n}", indicator=INDICATORS[n % len(INDICATORS)]) for n in range(count)]


def _build(sources: Sequence[SourceFile], order: Order, *, processes: int = 1, has_memory: bool = True) -> Built:
    return build(sources, order, before=(), processes=processes, has_memory=has_memory, progress=lambda _: None)


def _files(root: Path) -> dict[str, bytes]:
    return {path: content for path, content in files_below(root).items() if not path.startswith(memory.FOLDER)}


def _expected(sources: Sequence[SourceFile]) -> dict[str, bytes]:
    """What the compiler makes in memory, by one process, of all specs."""
    return {FOLDER.path(a): a.content.encode() for a in compile_specs(sources, Settings(), FOLDER).artefacts}


@pytest.mark.parametrize("processes", [1, 2, 3, 9])
def test_every_number_of_processes_writes_the_same_bytes(processes: int, tmp_path: Path) -> None:
    """The files are those that are compiled in memory, one spec after the other."""
    built = _build(_sources(), Order(Settings(), FOLDER, tmp_path), processes=processes, has_memory=False)
    assert built.written is not None
    assert built.written.changed[0] == "rules/service-0.rules.yaml", "in the order of the specs"
    assert _files(tmp_path) == _expected(_sources())
    checked = check(
        _sources(), Order(Settings(), FOLDER, tmp_path), before=(), processes=processes, progress=lambda _: None
    )
    assert (checked.differences, checked.files) == ((), len(_expected(_sources())))


def test_one_changed_spec_is_compiled_alone(tmp_path: Path) -> None:
    """The other services' files aren't even looked into, and the result is that of compiling everything."""
    order = Order(Settings(), FOLDER, tmp_path)
    _build(_sources(), order)
    changed = [*_sources()[:5], _source("service-5", objective="99.5")]
    built = _build(changed, order, processes=2)
    assert built.written is not None
    assert {path.split("/")[1].split(".")[0] for path in built.written.changed} == {"service-5"}
    expected = _expected(changed)
    assert len(built.written.changed) + built.written.unchanged == len(expected)
    scaffold = "runbooks/service-5/calls.md"
    template = "postmortem-template.md"
    assert {path: text for path, text in _files(tmp_path).items() if path not in (scaffold, template)} == {
        path: text for path, text in expected.items() if path not in (scaffold, template)
    }


@pytest.mark.parametrize("kind", [Kind.RULES, Kind.DASHBOARDS, Kind.RUNBOOKS, Kind.TESTS])
@pytest.mark.parametrize("how", ["edited", "removed"])
def test_a_file_touched_by_hand_is_written_anew(kind: Kind, how: str, tmp_path: Path) -> None:
    """Whatever is remembered of its spec; a runbook only where it is gone."""
    order = Order(Settings(), FOLDER, tmp_path)
    _build(_sources(), order)
    before = _files(tmp_path)
    path = next(path for path in sorted(before) if path.startswith(str(kind)))
    if how == "removed":
        (tmp_path / path).unlink()
    else:
        (tmp_path / path).write_bytes(before[path][::-1])
    built = _build(_sources(), order)
    assert built.written is not None
    is_human = kind is Kind.RUNBOOKS and how == "edited"
    assert built.written.changed == (() if is_human else (path,))
    assert (_files(tmp_path) == before) is not is_human


@pytest.mark.parametrize("name", ["overview", "slo"])
def test_dashboards_of_all_services_are_written_anew_when_one_was_touched(name: str, tmp_path: Path) -> None:
    """They belong to no spec: they have a memory of their own."""
    order = Order(Settings(), FOLDER, tmp_path)
    _build(_sources(), order)
    before = _files(tmp_path)
    (tmp_path / f"dashboards/{name}.json").unlink()
    assert _build(_sources(), order).written.changed == (f"dashboards/{name}.json",)  # type: ignore[union-attr]
    assert _files(tmp_path) == before


def test_a_service_that_comes_or_goes_changes_the_overview(tmp_path: Path) -> None:
    """And its files are strays in folders that belong to the compiler."""
    order = Order(Settings(), REPOSITORY, tmp_path)
    _build(_sources(3), order)
    written = _build(_sources(2), order).written
    assert written is not None
    assert written.changed == tuple(f"dashboards/grafana/generated/{name}.json" for name in ("slo", "overview"))
    assert "alerting/rules/generated/service-2.rules.yaml" in written.removed
    assert not any("service-2" in path for path in _files(tmp_path) if "generated" in path)


def test_warnings_are_said_again_from_memory(tmp_path: Path) -> None:
    """Those of meaning and those of behaviour tests alike."""
    sources = [_source("odd", indicator=UNTESTABLE), _source("sure", objective="50")]
    order = Order(Settings(), FOLDER, tmp_path)
    first, second = (_build(sources, order) for _ in range(2))
    assert {diagnostic.code for diagnostic in first.diagnostics} >= {"SLO030", "SLO033"}
    assert second.diagnostics == first.diagnostics
    assert second.written is not None
    assert second.written.changed == ()


def _depending(name: str, on: str) -> SourceFile:
    source = _source(name)
    return SourceFile(source.path, f"{source.text}    depends_on: [{on}]\n")


def test_a_changed_dependency_changes_alertmanagers_rules_and_its_own_service(tmp_path: Path) -> None:
    """Whoever is remembered: the rules are about all of them, the other services' files stay as they are."""
    order = Order(Settings(), FOLDER, tmp_path)
    first = [_depending("service-0", "service-1/calls"), _depending("service-1", "service-2/calls"), *_sources()[2:]]
    _build(first, order)
    assert _files(tmp_path)["alertmanager/inhibit_rules.yml"].count(b"source_matchers") == 2 * 3, (
        "0 by way of 1, too; slow ones apart"
    )
    changed = [_depending("service-0", "service-3/calls"), *first[1:]]
    built = _build(changed, order)
    assert built.written is not None
    services = {path.split("/")[1].split(".")[0] for path in built.written.changed}
    assert services == {"service-0", "inhibit_rules", "slo"}
    rules = "alertmanager/inhibit_rules.yml"
    assert _files(tmp_path)[rules] == _expected(changed)[rules]
    # And back to none at all: an old file would go on silencing.
    _build(_sources(), order)
    assert b"inhibit_rules: []" in _files(tmp_path)[rules]


CAUSE_RULE = """\
inhibit_rules:
- source_matchers:
  - alertname=~"SLOErrorBudgetBurn|SLONoData"
  - severity="critical"
  - service="service-0"
  - slo="calls"
  - grouped_by=""
  - shadow!~"critical|warning|true"
  - burn!="slow"
  target_matchers:
  - alertname="PostgreSQLDown"
  - severity="critical"
  - system=~"shop|\\"bank"
  - host!="a\\\\b"
"""


def test_causes_below_an_slo_are_remembered(tmp_path: Path) -> None:
    """While the SLO pages, the alert's page is inhibited, and nothing the other way; remembered specs' rules, too."""
    order = Order(Settings(), FOLDER, tmp_path)
    match = """'system=~"shop|\\"bank", host!="a\\\\b"'"""
    text = f"{_source('service-0').text}    stands_on: [{{alert: PostgreSQLDown, match: {match}}}]\n"
    first = [SourceFile("service-0.slo.yaml", text), *_sources(3)[1:]]
    _build(first, order)
    rules = _files(tmp_path)["alertmanager/inhibit_rules.yml"].decode()
    assert rules.partition("\n")[2] == CAUSE_RULE
    _build([*first[:2], _source("service-2", objective="99")], order)
    assert _files(tmp_path)["alertmanager/inhibit_rules.yml"].decode() == rules


def test_journeys_are_remembered(tmp_path: Path) -> None:
    """What a remembered spec's journey passes through is still inhibited by it, and is still no step itself."""
    order = Order(Settings(), FOLDER, tmp_path)
    text = f"{_source('service-0').text}journeys:\n  - {{name: pay, objective: 99, steps: [service-1/calls]}}\n"
    first = [SourceFile("service-0.slo.yaml", text), *_sources(3)[1:]]
    _build(first, order)
    rules = _files(tmp_path)["alertmanager/inhibit_rules.yml"]
    assert b'slo="pay"' in rules
    built = _build([*first[:2], _source("service-2", objective="99")], order)
    assert built.written is not None
    assert _files(tmp_path)["alertmanager/inhibit_rules.yml"] == rules
    assert "SLO075" in {diagnostic.code for diagnostic in built.diagnostics}
    built = _build([*first[:2], _depending("service-2", "service-0/pay")], order)
    assert [(d.code, d.span.path) for d in built.diagnostics if has_errors([d])] == [("SLO074", "service-2.slo.yaml")]


def test_circles_are_found_from_memory_too(tmp_path: Path) -> None:
    """One spec closes the circle, and each of them is told where."""
    order = Order(Settings(), FOLDER, tmp_path)
    _build([_depending("service-0", "service-1/calls"), _source("service-1")], order)
    built = _build([_depending("service-0", "service-1/calls"), _depending("service-1", "service-0/calls")], order)
    assert built.written is None
    assert [(d.code, str(d.span)) for d in built.diagnostics] == [
        ("SLO072", "service-0.slo.yaml:8:18"),
        ("SLO072", "service-1.slo.yaml:8:18"),
    ]


@pytest.mark.parametrize("are_all", [True, False])
def test_a_service_that_no_spec_describes(are_all: bool, tmp_path: Path) -> None:
    """An error where all specs are there, a warning where others may describe it."""
    order = Order(Settings(), FOLDER, tmp_path, are_all=are_all)
    built = _build([_depending("service-0", "service-9/calls"), _source("service-1")], order)
    (found,) = built.diagnostics
    assert (found.code, has_errors([found])) == ("SLO071", are_all)
    assert (built.written is None) is are_all


def test_what_a_broken_spec_describes_is_not_guessed(tmp_path: Path) -> None:
    """Its own mistakes are told, and nobody is told that its service doesn't exist."""
    order = Order(Settings(), FOLDER, tmp_path)
    built = _build([_depending("service-0", "service-1/calls"), _wrong("service-1")], order)
    assert [d.code for d in built.diagnostics] == ["SLO012"]


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"\xff", b'{"order": "x", "specs": {}}', None])
def test_a_damaged_memory_is_no_memory(damage: bytes | None, tmp_path: Path) -> None:
    """Everything is compiled, and remembered again."""
    order = Order(Settings(), FOLDER, tmp_path)
    _build(_sources(2), order)
    (place,) = (tmp_path / memory.FOLDER).glob("*.json")
    intact = place.read_bytes()
    place.write_bytes(intact[: len(intact) // 2] if damage is None else damage)
    assert _build(_sources(2), order).written.changed == ()  # type: ignore[union-attr]
    assert place.read_bytes() == intact


def test_another_order_remembers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other settings, another compiler: what they wrote isn't what is wanted now."""
    _build(_sources(2), Order(Settings(), FOLDER, tmp_path))
    other = Order(Settings(owner_label="team"), FOLDER, tmp_path)
    assert memory.Memory.of(other).specs == {}
    assert memory.Memory.of(Order(Settings(), FOLDER, tmp_path, frozenset({Kind.RULES}))).specs == {}
    assert len(memory.Memory.of(Order(Settings(), FOLDER, tmp_path)).specs) == 2
    monkeypatch.setattr(memory, "_compiler", lambda: "a newer one")
    assert memory.Memory.of(Order(Settings(), FOLDER, tmp_path)).specs == {}


def test_some_of_the_specs_leave_the_memory_of_the_others(tmp_path: Path) -> None:
    """Who compiles a few of many specs doesn't pay for it with the next run of all."""
    everything = Order(Settings(), FOLDER, tmp_path)
    _build(_sources(3), everything)
    some = Order(Settings(), FOLDER, tmp_path, is_complete=False)
    _build([_source("service-1", objective="99.5")], some)
    assert len(memory.Memory.of(everything).intact(_sources(3))) == 2


@pytest.mark.parametrize("has_memory", [False, True])
def test_a_mistake_anywhere_writes_nothing(has_memory: bool, tmp_path: Path) -> None:
    """The mistakes of all processes are told in reading order, also where most specs are remembered."""
    order = Order(Settings(), FOLDER, tmp_path)
    _build(_sources(), order, has_memory=has_memory)
    before = files_below(tmp_path)
    wrong = [_source("service-0", objective="99.5"), *_sources()[1:4], *map(_wrong, ("service-4", "service-5"))]
    built = _build(wrong, order, processes=3, has_memory=has_memory)
    assert built.written is None
    assert [str(d.span) for d in built.diagnostics if has_errors([d])] == [
        "service-4.slo.yaml:6:16",
        "service-5.slo.yaml:6:16",
    ]
    assert files_below(tmp_path) == before


def _wrong(name: str) -> SourceFile:
    return _source(name, objective="0.9")


def test_a_service_described_twice_is_found_from_memory_too(tmp_path: Path) -> None:
    """Mistakes between specs are looked for among all of them, whoever read them."""
    order = Order(Settings(), FOLDER, tmp_path)
    _build(_sources(2), order)
    again = SourceFile("again.slo.yaml", _source("service-1").text)
    built = _build([*_sources(2), again], order)
    assert built.written is None
    assert [(d.code, d.span.path) for d in built.diagnostics] == [("SLO016", "again.slo.yaml")]


def test_mistakes_found_before_stop_everything(tmp_path: Path) -> None:
    """A spec that couldn't be read, for instance: they are told first."""
    (mistake,) = compile_specs([_wrong("x")], Settings()).diagnostics
    order = Order(Settings(), FOLDER, tmp_path)
    built = build(_sources(1), order, before=(mistake,), processes=1, has_memory=True, progress=lambda _: None)
    assert (built.written, built.diagnostics) == (None, (mistake,))
    checked = check(_sources(1), order, before=(mistake,), processes=1, progress=lambda _: None)
    assert (checked.files, checked.diagnostics) == (0, (mistake,))
    assert not files_below(tmp_path)


@pytest.mark.parametrize("obstacle", ["rules/service-1.rules.yaml", "dashboards/overview.json"])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_file_that_can_not_be_written_leaves_the_old_state(obstacle: str, processes: int, tmp_path: Path) -> None:
    """Whichever process finds out: what the others have prepared is taken back."""
    (tmp_path / obstacle / "in-the-way").mkdir(parents=True)
    order = Order(Settings(), FOLDER, tmp_path)
    with pytest.raises(IsADirectoryError):
        _build(_sources(), order, processes=processes)
    assert files_below(tmp_path) == {}


def test_a_killed_helper_is_told_and_nothing_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when memory runs out: the specs' files stay as they were."""
    order = Order(Settings(), FOLDER, tmp_path)
    parent, produced = os.getpid(), Task.produced

    def killed(task: Task, service: Service) -> Outcome:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return produced(task, service)

    monkeypatch.setattr(Task, "produced", killed)
    with pytest.raises(ChildProcessError, match=r"was killed \(try --jobs 1\)"):
        _build(_sources(), order, processes=2)
    assert files_below(tmp_path) == {}


def test_checking_remembers_nothing_and_believes_nothing(tmp_path: Path) -> None:
    """A file whose size and time are those of the compiler's still differs by its content."""
    order = Order(Settings(), FOLDER, tmp_path)
    _build(_sources(2), order)
    rules = tmp_path / "rules/service-1.rules.yaml"
    status = rules.stat()
    rules.write_bytes(rules.read_bytes()[::-1])
    os.utime(rules, ns=(status.st_atime_ns, status.st_mtime_ns))
    (tmp_path / "postmortem-template.md").unlink()
    checked = check(_sources(2), order, before=(), processes=2, progress=lambda _: None)
    assert checked.differences == (
        Difference("postmortem-template.md", "missing"),
        Difference("rules/service-1.rules.yaml", "differs"),
    )


@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
def test_only_the_kinds_that_are_asked_for_are_written(kind: Kind, tmp_path: Path) -> None:
    """And they are the same files as among all kinds."""
    _build(_sources(2), Order(Settings(), FOLDER, tmp_path, frozenset({kind})), has_memory=False)
    everything = compile_specs(_sources(2), Settings(), FOLDER).artefacts
    assert _files(tmp_path) == {FOLDER.path(a): a.content.encode() for a in everything if a.kind is kind}


def test_other_kinds_are_no_strays(tmp_path: Path) -> None:
    """Rules alone leave dashboards and tests in their folders."""
    _build(_sources(2), Order(Settings(), REPOSITORY, tmp_path))
    written = _build(_sources(1), Order(Settings(), REPOSITORY, tmp_path, frozenset({Kind.RULES}))).written
    assert written is not None
    assert written.removed == ("alerting/rules/generated/service-1.rules.yaml",)


def test_progress_counts_the_specs_of_all_processes(tmp_path: Path) -> None:
    """It begins anew when everything is read, and it never goes backwards within a half."""
    seen: list[int] = []
    order = Order(Settings(), FOLDER, tmp_path, frozenset({Kind.RULES}))
    build(_sources(4), order, before=(), processes=2, has_memory=False, progress=seen.append)
    assert seen == [2, 4, 2, 4]
