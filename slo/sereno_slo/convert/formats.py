"""Which format a text is in, told by the first keys of its documents."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sereno_slo.diagnostics import Diagnostic, Span, has_errors
from sereno_slo.parse.yaml_tree import Path, YamlTree, read_all_yaml
from sereno_slo.source import SourceFile, may_be_foreign


class Format(StrEnum):
    """What other tools call their formats."""

    SLOTH = "Sloth prometheus/v1"
    SLOTH_KUBERNETES = "Sloth PrometheusServiceLevel"
    OPENSLO = "OpenSLO v1"
    PYRRA = "Pyrra ServiceLevelObjective"


# (key, value, kind, format); a document of the right version and another kind is none of ours.
_MARKS = (
    ("version", "prometheus/v1", None, Format.SLOTH),
    ("apiVersion", "sloth.slok.dev/v1", "PrometheusServiceLevel", Format.SLOTH_KUBERNETES),
    ("apiVersion", "openslo/v1", None, Format.OPENSLO),
    ("apiVersion", "pyrra.dev/v1alpha1", "ServiceLevelObjective", Format.PYRRA),
)
_KNOWN = "Sloth (prometheus/v1, sloth.slok.dev/v1), OpenSLO (openslo/v1) or Pyrra (pyrra.dev/v1alpha1)"


@dataclass(frozen=True, slots=True)
class Document:
    """One document of another format."""

    format: Format
    tree: YamlTree
    text: str
    """The whole file's text, to quote from."""

    def quote(self, path: Path) -> tuple[str, ...]:
        """The lines of the file that hold the value, indented as deep as the first, which may follow a dash."""
        first, last = self.tree.lines(path)
        every = self.text.splitlines()
        if last + 1 == len(every) and not self.text.endswith("\n"):
            last += 1  # nothing follows the block: not even the end of its last line
        lines = every[first - 1 : max(first, last)]
        while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith(("#", "---"))):
            lines.pop()
        depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        return tuple(line[depth:].rstrip() for line in lines)


def is_foreign(source: SourceFile) -> bool:
    """Whether the file's first document says that it is in another format."""
    if not may_be_foreign(source.text):
        return False
    trees, _ = read_all_yaml(source)
    return bool(trees) and _format_of(trees[0]) is not None


def read_documents(source: SourceFile) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """The file's documents; none with errors where it is no YAML, or one document is in none of the formats."""
    trees, mistakes = read_all_yaml(source)
    if not trees and not mistakes:
        mistakes = (Diagnostic("SLO060", Span(source.path, 1, 1), "the file is empty", f"give a file of {_KNOWN}"),)
    found = [(tree, _format_of(tree)) for tree in trees]
    mistakes = (*mistakes, *(_unknown(tree) for tree, format_ in found if format_ is None))
    if has_errors(mistakes):
        return (), mistakes
    return tuple(_documents(found, source.text)), mistakes


def _documents(found: list[tuple[YamlTree, Format | None]], text: str) -> Iterator[Document]:
    for tree, format_ in found:
        if format_ is not None:
            yield Document(format_, tree, text)


def _format_of(tree: YamlTree) -> Format | None:
    head = tree.value if isinstance(tree.value, dict) else {}
    for key, version, kind, format_ in _MARKS:
        if head.get(key) == version and kind in (None, head.get("kind")):
            return format_
    return None


def _unknown(tree: YamlTree) -> Diagnostic:
    head = tree.value if isinstance(tree.value, dict) else {}
    key = next((key for key in ("apiVersion", "version") if key in head), None)
    if key is None:
        return Diagnostic("SLO060", tree.span(()), "the document names no version", f"give a document of {_KNOWN}")
    if head[key] == "sereno/v1":
        return Diagnostic("SLO060", tree.span((key,)), "this is a spec of sereno/v1 already", "compile it as it is")
    kind = f", kind {head['kind']}," if key == "apiVersion" and isinstance(head.get("kind"), str) else ""
    return Diagnostic(
        "SLO060", tree.span((key,)), f"{key} {head[key]!r}{kind} is none that can be converted", f"give {_KNOWN}"
    )
