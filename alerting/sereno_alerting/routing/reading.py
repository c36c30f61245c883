"""From the text of a file of cases to what it means, with every mistake at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from os.path import normpath
from pathlib import Path

from sereno_slo.diagnostics import Diagnostic, has_errors, in_reading_order
from sereno_slo.parse import parse_as
from sereno_slo.parse.yaml_tree import YamlTree
from sereno_slo.source import SourceFile

from sereno_alerting.routing.grammar import CaseDocument, CasesDocument
from sereno_alerting.routing.model import Case, CaseFile


@dataclass(frozen=True, slots=True)
class ReadCases:
    """The cases, None where there are errors; and every mistake."""

    file: CaseFile | None
    diagnostics: tuple[Diagnostic, ...]


def read_cases(source: SourceFile) -> ReadCases:
    """The cases of a file, or every mistake in it."""
    parsed = parse_as(source, CasesDocument)
    if parsed.document is None or parsed.tree is None:
        return ReadCases(None, parsed.diagnostics)
    tree = parsed.tree
    found = (mistake for number, case in enumerate(parsed.document.cases) for mistake in _mistakes(case, number, tree))
    diagnostics = in_reading_order((*parsed.diagnostics, *found))
    if has_errors(diagnostics):
        return ReadCases(None, diagnostics)
    named = parsed.document.configuration
    configuration = Path(normpath(Path(source.path).parent / named)) if named else None
    cases = tuple(_case(case, number, tree) for number, case in enumerate(parsed.document.cases))
    return ReadCases(CaseFile(source.path, configuration, cases), diagnostics)


def _mistakes(case: CaseDocument, number: int, tree: YamlTree) -> Iterator[Diagnostic]:
    place = tree.span(("cases", number))
    if case.receivers is None and not case.inhibited and not case.muted:
        yield Diagnostic("ALR020", place, f"{case.name} expects nothing", "write receivers, inhibited or muted")
    if case.inhibited and not case.given:
        yield Diagnostic(
            "ALR020", place, f"{case.name}: nothing else fires that could inhibit it", "write given: [{…}]"
        )
    if case.muted and case.at is None:
        yield Diagnostic("ALR020", place, f"{case.name} is muted at no time", "write at: 2026-11-28T03:00:00Z")
    if case.muted and case.inhibited:
        message = f"{case.name} is inhibited, so that nobody sees whether it were muted"
        yield Diagnostic("ALR020", place, message, "make two cases of it")
    own = _without_empty(case.labels)
    for index, given in enumerate(case.given):
        if _without_empty(given) == own:
            message = f"{case.name}: this is the alert itself"
            yield Diagnostic(
                "ALR020", tree.span(("cases", number, "given", index)), message, "write another alert's labels"
            )


def _case(case: CaseDocument, number: int, tree: YamlTree) -> Case:
    muted = case.muted
    return Case(
        case.name,
        tree.span(("cases", number)),
        _without_empty(case.labels),
        tuple(map(_without_empty, case.given)),
        None if case.receivers is None else frozenset(case.receivers),
        case.inhibited,
        None if case.at is None else datetime.fromisoformat(case.at),
        muted if isinstance(muted, bool) else frozenset(muted),
    )


def _without_empty(labels: dict[str, str]) -> dict[str, str]:
    """A label without a value is none, for Alertmanager, too."""
    return {name: value for name, value in labels.items() if value}


def unknown_receivers(file: CaseFile, known: Iterable[str]) -> Iterator[Diagnostic]:
    """A mistake for each receiver that a case names and the configuration hasn't."""
    names = sorted(set(known))
    for case in file.cases:
        muted = frozenset() if isinstance(case.muted, bool) else case.muted
        for name in sorted((case.receivers or frozenset()) | muted):
            if name not in names:
                near = get_close_matches(name, names, n=1)
                cure = f"did you mean {near[0]}?" if near else f"it has {', '.join(names)}"
                yield Diagnostic("ALR022", case.span, f"{case.name}: the configuration has no receiver {name!r}", cure)
