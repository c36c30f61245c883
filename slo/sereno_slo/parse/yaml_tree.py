"""YAML with the place of every key and value, and with YAML 1.2's reading of plain words.

PyYAML reads YAML 1.1, where `on`, `no` and `02:00` are not text; specs hold plain words, so only `true`, `false`,
`null`, integers and floats are more than text here.
"""

import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

from sereno_slo.diagnostics import Diagnostic, Span
from sereno_slo.source import SourceFile

Path = tuple[str | int, ...]

# A spec of a thousand SLOs has some 20,000; a few aliases of aliases can mean billions.
_MOST_VALUES = 500_000
# A spec has six levels. libyaml's composer recurses without a limit and would end the process, not raise.
_DEEPEST_NESTING = 100

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it


class _Loader(_Base):  # type: ignore[misc] # one of two classes, chosen at run time
    """The core schema of YAML 1.2 (YAML 1.2.2 specification, section 10.3.2)."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


_SCALARS: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "float": lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
    "bool": lambda text: text.lower() == "true",
    "null": lambda _: None,
}


@dataclass(frozen=True, slots=True)
class YamlTree:
    """A document as plain Python values, and the places of its parts by path."""

    value: Any
    path: str
    values: Mapping[Path, Span] = field(default_factory=dict)
    keys: Mapping[Path, Span] = field(default_factory=dict)

    def span(self, path: Path) -> Span:
        """Where the value stands; for a missing one, where its nearest existing parent stands."""
        return _nearest(self.values, path) or Span(self.path)

    def key_span(self, path: Path) -> Span:
        """Where the key stands."""
        return self.keys.get(path) or self.span(path)


def _nearest(spans: Mapping[Path, Span], path: Path) -> Span | None:
    return next((spans[path[:n]] for n in range(len(path), -1, -1) if path[:n] in spans), None)


def read_yaml(source: SourceFile) -> tuple[YamlTree | None, tuple[Diagnostic, ...]]:
    """The tree and the mistakes in it; no tree where the text is no YAML at all."""
    try:
        too_deep = _too_deep(source)
        documents = [] if too_deep else list(yaml.compose_all(source.text, Loader=_Loader))
    except yaml.YAMLError as error:
        return None, (_syntax_error(source, error),)
    if too_deep is not None:
        message = f"values are nested more than {_DEEPEST_NESTING} levels deep"
        return None, (Diagnostic("SLO008", too_deep, message, "a spec needs six"),)
    nodes = [node for node in documents if node is not None]
    if len(nodes) != 1:
        problem = "the file is empty" if not nodes else f"the file holds {len(nodes)} YAML documents"
        span = Span(source.path, 1, 1) if not nodes else _span(source.path, nodes[1])
        return None, (
            Diagnostic("SLO007", span, problem, "write one document a file, beginning with version: sereno/v1"),
        )
    builder = _Builder(source.path)
    value = builder.build(nodes[0], ())
    if builder.is_too_large:
        return None, tuple(builder.problems)
    return YamlTree(value, source.path, builder.values, builder.keys), tuple(builder.problems)


def _too_deep(source: SourceFile) -> Span | None:
    """Where the nesting is deeper than any spec's, if it is; parsing into events needs no recursion."""
    depth = 0
    for event in yaml.parse(source.text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST_NESTING:
            return _span(source.path, event)
    return None


def _span(path: str, node: Any) -> Span:
    """Where a node or an event begins."""
    return Span(path, node.start_mark.line + 1, node.start_mark.column + 1)


def _syntax_error(source: SourceFile, error: yaml.YAMLError) -> Diagnostic:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    span = Span(source.path, mark.line + 1, mark.column + 1) if mark else _unreadable_character(source, error)
    said = getattr(error, "problem", None) or str(error).partition("\n")[0]
    context = getattr(error, "context", None)
    message = f"this is not YAML: {said}" + (f" {context}" if context else "")
    return Diagnostic(
        "SLO002", span, message, "check the indentation, colons and quotes of this line and the one above"
    )


def _unreadable_character(source: SourceFile, error: yaml.YAMLError) -> Span:
    """Where the one error without a mark happened: libyaml counts bytes, PyYAML's own reader characters."""
    position = getattr(error, "position", None)
    if position is None:
        return Span(source.path)
    is_in_bytes = getattr(error, "encoding", None) == "?"
    before = source.text.encode()[:position].decode(errors="ignore") if is_in_bytes else source.text[:position]
    return Span(source.path, before.count("\n") + 1, len(before) - before.rfind("\n"))


class _Builder:
    """Builds plain values and remembers where they stood."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.values: dict[Path, Span] = {}
        self.keys: dict[Path, Span] = {}
        self.problems: list[Diagnostic] = []
        self.is_too_large = False
        self._open: set[int] = set()

    def build(self, node: yaml.Node, path: Path) -> Any:
        """The node's value; a node inside itself (by an anchor) is a mistake, and so are aliases that explode."""
        self.values[path] = _span(self.path, node)
        if len(self.values) > _MOST_VALUES:
            return self._give_up()
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            self.problems.append(
                Diagnostic("SLO007", self.values[path], "this anchor refers to itself", "write the value out")
            )
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _give_up(self) -> None:
        if not self.is_too_large:
            message = f"the file means more than {_MOST_VALUES:,} values once its aliases are written out"
            self.problems.append(Diagnostic("SLO008", Span(self.path, 1, 1), message, "use fewer aliases"))
        self.is_too_large = True

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind == "str":
            return node.value
        if kind not in _SCALARS:
            self._say(path, f"the tag {node.tag} has no meaning here", "write plain text")
            return node.value
        try:
            return _SCALARS[kind](node.value)
        except ValueError:
            # Only an explicit tag (`!!int x`) or more digits than Python converts: plain words resolve by pattern.
            self._say(path, f"{reprlib.repr(node.value)} can't be read as {kind}", "write a number, or text in quotes")
            return node.value

    def _say(self, path: Path, message: str, cure: str) -> None:
        self.problems.append(Diagnostic("SLO006", self.values[path], message, cure))

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag.endswith(":merge"):
                self.problems.append(
                    Diagnostic(
                        "SLO007", _span(self.path, key_node), "merge keys (<<) are not supported", "write the keys out"
                    )
                )
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(
                    Diagnostic("SLO006", _span(self.path, key_node), "a key is a list or mapping", "write a word")
                )
                continue
            key = key_node.value
            if key in result:
                first = self.keys[(*path, key)].line
                self.problems.append(
                    Diagnostic(
                        "SLO003", _span(self.path, key_node), f"{key} stands here again", f"remove it or line {first}"
                    )
                )
                continue
            self.keys[(*path, key)] = _span(self.path, key_node)
            result[key] = self.build(value_node, (*path, key))
        return result
