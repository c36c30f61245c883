"""Alertmanager's configuration as far as cases are about it, each part with its place in the file.

What it means is decided by the real Alertmanager alone; here it is only taken apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sereno_slo.diagnostics import Diagnostic, Span, has_errors
from sereno_slo.parse.yaml_tree import Path, YamlTree, read_yaml
from sereno_slo.source import SourceFile

_MATCHING = ("match", "match_re", "matchers")


@dataclass(frozen=True, slots=True)
class Route:
    """One route; they are numbered as one reads them."""

    number: int
    receiver: str
    span: Span
    words: str
    """What it matches, for messages."""
    intervals: tuple[str, ...]
    """Those of both kinds, active and mute."""
    is_reachable: bool
    """False: a child without conditions takes everything."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An inhibition rule."""

    document: Mapping[str, Any]
    span: Span


@dataclass(frozen=True, slots=True)
class Configuration:
    """The parts, and the whole as it was read."""

    path: str
    document: Mapping[str, Any]
    routes: tuple[Route, ...]
    rules: tuple[Rule, ...]
    intervals: Mapping[str, Span]
    receivers: frozenset[str]

    def interval_definitions(self) -> Iterator[tuple[str, Any]]:
        """By name; 0.25 knows two keys for them."""
        for key in ("time_intervals", "mute_time_intervals"):
            for each in self.document.get(key) or ():
                yield str(each["name"]), each.get("time_intervals") or []


def read_configuration(source: SourceFile) -> Configuration | tuple[Diagnostic, ...]:
    """The parts of a configuration, or what is wrong with it."""
    tree, mistakes = read_yaml(source)
    if tree is None or has_errors(mistakes):
        return mistakes
    problem = _problem(tree.value)
    if problem:
        return (_refused(tree.span(()), problem),)
    routes = tuple(_routes(tree))
    receivers = frozenset(str(each["name"]) for each in tree.value.get("receivers") or ())
    strange = next((route for route in routes if route.receiver not in receivers), None)
    if strange is not None:
        return (_refused(strange.span, f"there is no receiver {strange.receiver!r}"),)
    intervals = {
        str(each["name"]): tree.span((key, index))
        for key in ("time_intervals", "mute_time_intervals")
        for index, each in enumerate(tree.value.get(key) or ())
    }
    unknown = next(((route, name) for route in routes for name in route.intervals if name not in intervals), None)
    if unknown is not None:
        return (_refused(unknown[0].span, f"there is no time interval {unknown[1]!r}"),)
    rules = enumerate(tree.value.get("inhibit_rules") or ())
    return Configuration(
        source.path,
        tree.value,
        routes,
        tuple(Rule(rule, tree.span(("inhibit_rules", index))) for index, rule in rules),
        intervals,
        receivers,
    )


def _refused(span: Span, problem: str) -> Diagnostic:
    return Diagnostic("ALR023", span, problem, "amtool check-config tells what Alertmanager takes")


def _problem(value: Any) -> str:
    """Why this can't be taken apart; Alertmanager's own checks follow."""
    if not isinstance(value, dict) or not isinstance(value.get("route"), dict):
        return "this is no configuration of Alertmanager: it has no route"
    for key in ("receivers", "time_intervals", "mute_time_intervals", "inhibit_rules"):
        items = value.get(key) or []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            return f"{key} is no list of mappings"
        if key != "inhibit_rules" and not all(isinstance(item.get("name"), str) for item in items):
            return f"one of the {key} has no name"
    return "" if _are_routes(value["route"]) else "routes is no list of mappings"


def _are_routes(route: Any) -> bool:
    children = route.get("routes") or [] if isinstance(route, dict) else None
    return isinstance(children, list) and all(map(_are_routes, children))


def _routes(tree: YamlTree) -> Iterator[Route]:
    """As one reads them, which numbered() repeats."""
    waiting: list[tuple[Path, Mapping[str, Any], str]] = [(("route",), tree.value["route"], "")]
    number = 0
    while waiting:
        path, route, inherited = waiting.pop()
        receiver = str(route.get("receiver") or inherited)
        children = route.get("routes") or []
        yield Route(
            number,
            receiver,
            tree.span(path),
            _words(route),
            tuple(str(name) for key in INTERVAL_KEYS for name in route.get(key) or ()),
            is_reachable=all(any(child.get(key) for key in _MATCHING) for child in children),
        )
        number += 1
        inner = [((*path, "routes", index), child, receiver) for index, child in enumerate(children)]
        waiting.extend(reversed(inner))


INTERVAL_KEYS = ("active_time_intervals", "mute_time_intervals")


def _words(route: Mapping[str, Any]) -> str:
    old = [
        f"{label}{sign}{value!r}"
        for key, sign in (("match", "="), ("match_re", "=~"))
        for label, value in _pairs(route, key)
    ]
    return ", ".join((*old, *map(str, route.get("matchers") or ()))) or "everything"


def _pairs(route: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    found = route.get(key)
    return list(found.items()) if isinstance(found, dict) else []
