"""pydantic's findings as diagnostics: our codes, the file's places, and a cure for each."""

import difflib
import reprlib
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sereno_slo.diagnostics import Diagnostic
from sereno_slo.parse.yaml_tree import Path, YamlTree

_WANTED = {
    "string_type": "text",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def diagnostics_of(error: ValidationError, tree: YamlTree, grammar: type[BaseModel]) -> Iterator[Diagnostic]:
    """One diagnostic for each finding."""
    for details in error.errors(include_url=False):
        if _follows_from_others(details):
            continue
        yield _diagnostic(details, _path(details, tree), tree, grammar)


def _follows_from_others(details: ErrorDetails) -> bool:
    """Whether a list is only too short because pydantic counts none of its items that have mistakes of their own."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _path(details: ErrorDetails, tree: YamlTree) -> Path:
    """Where in the file: pydantic's place without the tags that tell which of two shapes a value has."""
    *parents, last = details["loc"] or ("",)
    path: Path = ()
    for part in parents:
        path = (*path, part) if tree.has((*path, part)) else path
    is_there = tree.has((*path, last))
    return (*path, last) if is_there or details["type"] == "missing" else path


def _diagnostic(details: ErrorDetails, path: Path, tree: YamlTree, grammar: type[BaseModel]) -> Diagnostic:
    kind = details["type"]
    span = tree.span(path)
    here = path[-1] if path and isinstance(path[-1], str) else _place(path)
    if "hint" in details.get("ctx", {}):  # a mistake of our own words: its kind is the code
        return Diagnostic(kind, span, details["ctx"]["message"], details["ctx"]["hint"])
    if kind == "extra_forbidden":
        cure = _nearest_key(str(path[-1]), model_at(grammar, path[:-1]))
        return Diagnostic("SLO004", tree.key_span(path), f"{path[-1]} is no key of {_place(path[:-1])}", cure)
    if kind == "missing":
        return Diagnostic("SLO005", span, f"{_place(path[:-1])} has no {path[-1]}", f"write {_example(grammar, path)}")
    message, cure = _about_value(details, here, _example(grammar, path))
    return Diagnostic("SLO006", span, message, cure)


def _about_value(details: ErrorDetails, here: str, example: str) -> tuple[str, str]:
    """What is wrong with a value that is there, and what to write."""
    kind, value = details["type"], details["input"]
    message = f"{here} is {_shown(value)}"
    if kind == "literal_error":
        return message, f"write {str(details['ctx']['expected']).replace(chr(39), '')}"
    if kind in {"too_short", "string_too_short"}:
        return message, f"write {example}"
    if kind in _WANTED:
        return f"{message}, it has to be {_WANTED[kind]}", _cure_of_type(kind, value, example)
    return message, _plain(details["msg"])


def _plain(message: str) -> str:
    """Pydantic's own sentence, in the form of our cures."""
    return (message[:1].lower() + message[1:]).replace("input should", "it should")


def _place(path: Path) -> str:
    """`slos[0].indicator`, as one would say it."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return text or "the file"


def _shown(value: Any) -> str:
    match value:
        case None:
            return "empty"
        case dict():
            return "a mapping"
        case list():
            return "a list" if value else "an empty list"
        case str():
            return f"the text {value!r}" if len(value) < 60 else "a long text"  # noqa: PLR2004
        case bool():
            return str(value).lower()
        case _:
            return f"{value}"


def _cure_of_type(kind: str, value: Any, example: str) -> str:
    if kind.startswith(("float", "int")) and isinstance(value, str):
        try:
            float(value)
        except ValueError:
            pass
        else:
            return f"write {reprlib.repr(value)[1:-1]} without quotes"
    if kind == "string_type" and isinstance(value, int | float):
        return f'write "{value}" in quotes'
    return f"write {example}"


def _example(grammar: type[BaseModel], path: Path) -> str:
    """`owner: payments`, from the grammar's own examples."""
    keys = [part for part in path if isinstance(part, str)]
    if not keys:
        name, first = next(iter(grammar.model_fields.items()))
        return f"{name}: {first.examples[0] if first.examples else '…'} and so on"
    info = _field(model_at(grammar, path[: max(i for i, part in enumerate(path) if isinstance(part, str))]), keys[-1])
    if info is None or not info.examples:
        return f"{keys[-1]}: …"
    example = info.examples[0]
    text = f"[{', '.join(example)}]" if isinstance(example, list) else example
    return f"{keys[-1]}: {text}"


def _nearest_key(key: str, model: type[BaseModel] | None) -> str:
    if model is None:
        return "remove it"
    known = [info.alias or name for name, info in model.model_fields.items()]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"


def model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The grammar's class for the mapping at `path`."""
    current: type[BaseModel] | None = model
    names_come = False  # the next part is a name of the user's, as of a target, and no key of the grammar
    for part in path:
        if isinstance(part, int) or names_come:
            names_come = False
            continue
        info = _field(current, part)
        current = None if info is None else next(_models_in(info.annotation), None)
        names_come = info is not None and _has_names(info.annotation)
    return None if names_come else current


def _has_names(annotation: Any) -> bool:
    """Whether a value is a mapping whose keys the user chooses."""
    return typing.get_origin(annotation) is dict or any(map(_has_names, typing.get_args(annotation)))


def _field(model: type[BaseModel] | None, key: str) -> FieldInfo | None:
    if model is None:
        return None
    return next((info for name, info in model.model_fields.items() if key in {name, info.alias}), None)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)
