"""YAML with the place of every key and value, and with YAML 1.2's reading of plain words.

PyYAML reads YAML 1.1, where `on`, `no` and `02:00` are not text; specs hold plain words, so only `true`, `false`,
`null`, integers and floats are more than text here.
"""

import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import yaml

from sereno_slo.diagnostics import Diagnostic, Span
from sereno_slo.source import SourceFile

Path = tuple[str | int, ...]

# A spec of a thousand SLOs has some 20,000; a few aliases of aliases can mean billions.
_MOST_VALUES = 500_000
# A spec has six levels. libyaml's composer recurses without a limit and would end the process, not raise.
_DEEPEST_NESTING = 100

_BEGINNING = re.compile(r"^[ ?:-]*", re.MULTILINE)

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
    """A document as plain Python values, and where its parts stand: looked up when a message needs it."""

    value: Any
    path: str
    root: yaml.Node
    places: tuple[Span, ...] = ()
    """Where the text's lines come from, if it was converted from another format: messages lead there."""

    def has(self, path: Path) -> bool:
        """Whether there is a value, `null` included."""
        return self._nodes(path)[-1] is not None

    def span(self, path: Path) -> Span:
        """Where the value stands; for a missing one, where its nearest existing parent stands."""
        return self._place(next(node for node in reversed(self._nodes(path)) if node is not None))

    def key_span(self, path: Path) -> Span:
        """Where the key stands."""
        parent = self._nodes(path[:-1])[-1] if path else None
        key = None if parent is None else _entry(parent, path[-1])[0]
        return self.span(path) if key is None else self._place(key)

    def _place(self, node: yaml.Node) -> Span:
        return self.places[node.start_mark.line] if self.places else _span(self.path, node)

    def lines(self, path: Path) -> tuple[int, int]:
        """The first and the last line of the value in the file, from 1; a block ends where the next thing begins."""
        node = next(node for node in reversed(self._nodes(path)) if node is not None)
        is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style
        return node.start_mark.line + 1, node.end_mark.line + (0 if is_block else 1)

    def _nodes(self, path: Path) -> list[yaml.Node | None]:
        """The nodes on the way, the root first; None from where it ends."""
        nodes: list[yaml.Node | None] = [self.root]
        for part in path:
            parent = nodes[-1]
            nodes.append(None if parent is None else _entry(parent, part)[1])
        return nodes


def _entry(node: yaml.Node, part: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The key and the value of an entry; the first, where a key stands twice; items of lists have no key."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return None, (node.value[part] if part < len(node.value) else None)
    entries = node.value if isinstance(node, yaml.MappingNode) else []
    found = ((key, value) for key, value in entries if isinstance(key, yaml.ScalarNode) and key.value == part)
    return next(((key, value) for key, value in found if not key.tag.endswith(":merge")), (None, None))


def read_yaml(source: SourceFile) -> tuple[YamlTree | None, tuple[Diagnostic, ...]]:
    """The tree and the mistakes in it; no tree where the text is no YAML at all."""
    nodes, mistakes = _documents(source)
    if mistakes:
        return None, mistakes
    if len(nodes) != 1:
        problem = "the file is empty" if not nodes else f"the file holds {len(nodes)} YAML documents"
        span = Span(source.path, 1, 1) if not nodes else _span(source.path, nodes[1])
        return None, (
            Diagnostic("SLO007", span, problem, "write one document a file, beginning with version: sereno/v1"),
        )
    return _tree(source, nodes[0])


def read_all_yaml(source: SourceFile) -> tuple[tuple[YamlTree, ...], tuple[Diagnostic, ...]]:
    """The trees of all documents of a file, and the mistakes in them; empty documents are none."""
    nodes, mistakes = _documents(source)
    read = [_tree(source, node) for node in nodes]
    return tuple(tree for tree, _ in read if tree), (*mistakes, *(each for _, found in read for each in found))


def _documents(source: SourceFile) -> tuple[list[yaml.Node], tuple[Diagnostic, ...]]:
    try:
        too_deep = _too_deep(source)
        documents = [] if too_deep else list(yaml.compose_all(source.text, Loader=_Loader))
    except yaml.YAMLError as error:
        return [], (_syntax_error(source, error),)
    if too_deep is not None:
        message = f"values are nested more than {_DEEPEST_NESTING} levels deep"
        return [], (Diagnostic("SLO008", too_deep, message, "a spec needs six"),)
    return [node for node in documents if node is not None], ()


def _tree(source: SourceFile, node: yaml.Node) -> tuple[YamlTree | None, tuple[Diagnostic, ...]]:
    builder = _Builder(source.path)
    value = builder.build(node)
    if builder.is_too_large:
        return None, tuple(builder.problems)
    return YamlTree(value, source.path, node, source.places), tuple(builder.problems)


def _too_deep(source: SourceFile) -> Span | None:
    """Where the nesting is deeper than any spec's, if it is; parsing into events needs no recursion."""
    # Each level needs a bracket, or a column or dash more at the beginning of a line; but one list at its key's column.
    brackets = source.text.count("[") + source.text.count("{")
    if brackets + max(map(len, _BEGINNING.findall(source.text))) + 2 <= _DEEPEST_NESTING:
        return None
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
    """Builds plain values."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Diagnostic] = []
        self.is_too_large = False
        self._built = 0
        self._open: set[int] = set()

    def build(self, node: yaml.Node) -> Any:
        """The node's value; a node inside itself (by an anchor) is a mistake, and so are aliases that explode."""
        self._built += 1
        if self._built > _MOST_VALUES:
            return self._give_up()
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            self._say("SLO007", node, "this anchor refers to itself", "write the value out")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item) for item in node.value]
            return self._mapping(node)
        finally:
            self._open.discard(id(node))

    def _give_up(self) -> None:
        if not self.is_too_large:
            message = f"the file means more than {_MOST_VALUES:,} values once its aliases are written out"
            self.problems.append(Diagnostic("SLO008", Span(self.path, 1, 1), message, "use fewer aliases"))
        self.is_too_large = True

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind == "str":
            return node.value
        if kind not in _SCALARS:
            self._say("SLO006", node, f"the tag {node.tag} has no meaning here", "write plain text")
            return node.value
        try:
            return _SCALARS[kind](node.value)
        except ValueError:
            # Only an explicit tag (`!!int x`) or more digits than Python converts: plain words resolve by pattern.
            message = f"{reprlib.repr(node.value)} can't be read as {kind}"
            self._say("SLO006", node, message, "write a number, or text in quotes")
            return node.value

    def _say(self, code: str, node: yaml.Node, message: str, cure: str) -> None:
        self.problems.append(Diagnostic(code, _span(self.path, node), message, cure))

    def _mapping(self, node: yaml.Node) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if key_node.tag.endswith(":merge"):
                self._say("SLO007", key_node, "merge keys (<<) are not supported", "write the keys out")
            elif not isinstance(key_node, yaml.ScalarNode):
                self._say("SLO006", key_node, "a key is a list or mapping", "write a word")
            elif key in result:
                first = _entry(node, key)[0]
                line = 0 if first is None else _span(self.path, first).line
                self._say("SLO003", key_node, f"{key} stands here again", f"remove it or line {line}")
            else:
                result[key] = self.build(value_node)
        return result
