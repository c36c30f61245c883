"""A team's own template for drafts: rendered in a sandbox, every mistake told with its line and a cure."""

import difflib
import re
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sereno_postmortems.draft.evidence import Evidence
from sereno_postmortems.draft.markdown import Markdown
from sereno_postmortems.draft.render import OPTIONS, TEMPLATE, builtin_template, context, prepare, whole
from sereno_postmortems.draft.source_numbers import SourceNumbers

LARGEST_BYTES = 1024 * 1024
_NAME = re.compile(r"'([^']+)' is undefined")
_WHAT_IS_THERE = "docs/postmortems.md lists what a template may use"


@dataclass(frozen=True, slots=True)
class TemplateMistake:
    """What is wrong with a template; `line` counts from 1."""

    path: str
    line: int
    code: str
    message: str
    cure: str

    def __str__(self) -> str:
        """`postmortems/template.md.j2:7:1: error[PM103]: …`, on one line."""
        text = f"{self.path}:{self.line}:1: error[{self.code}]: {self.message} ({self.cure})"
        return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


@dataclass(frozen=True, slots=True)
class OwnTemplate:
    """A template that could be read and understood."""

    path: str
    template: jinja2.Template


TEXT_METHODS = frozenset({"endswith", "lower", "removeprefix", "removesuffix", "split", "startswith", "strip", "upper"})
"""Of texts; others can make a page of a word."""
JINJA_FILTERS = (
    "abs", "capitalize", "default", "dictsort", "first", "float", "groupby", "int", "join", "last", "length", "list",
    "lower", "map", "max", "min", "reject", "rejectattr", "replace", "round", "select", "selectattr", "sort", "string",
    "sum", "title", "trim", "truncate", "unique", "upper",
)  # fmt: skip
"""Jinja2's own that a template may use, besides those of drafts."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Nothing of a template reaches Python's insides, changes a value, or multiplies a text without end."""

    intercepted_binops = frozenset({"*", "**", "%"})

    @staticmethod
    def concat(parts: Iterable[str]) -> Markdown:
        """What was rendered (a macro, `super()`, a block that is set) has its values escaped, and isn't anew."""
        return Markdown("".join(parts))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As the sandbox has it, and of texts only what keeps their size."""
        if isinstance(obj, str) and attr not in TEXT_METHODS:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """`str.format` is no exception to it."""

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Only what stays small."""
        if operator == "**" or not all(isinstance(side, int | float) for side in (left, right)):
            raise SecurityError(f"{operator} of anything but numbers")
        return super().call_binop(context, operator, left, right)


def read_template(path: Path) -> OwnTemplate | TemplateMistake:
    """Read and parse a team's template; nothing of it has run yet."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return _mistake(
            path, 1, "PM101", f"the template can't be read: {error.strerror}", "name another with --template"
        )
    if len(content) > LARGEST_BYTES:
        return _mistake(path, 1, "PM101", "the template has more than 1 MiB", "name the right file with --template")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _mistake(path, line, "PM101", "the template is no UTF-8", "save it as UTF-8")
    environment = _environment(path.name, text)
    try:
        return OwnTemplate(str(path), environment.get_template(path.name))
    except jinja2.TemplateSyntaxError as error:
        cure = f"mend it as Jinja2 asks; {_WHAT_IS_THERE}"
        return _mistake(path, error.lineno, "PM102", f"not understood: {error.message}", cure)
    except RecursionError:
        return _mistake(path, 1, "PM102", "it is nested too deeply", "write it flatter")


def render_own(
    own: OwnTemplate, evidence: Evidence, *, known: Mapping[str, str] | None = None
) -> str | TemplateMistake:
    """The draft by a team's template; what goes wrong in it is a mistake of the template, whatever it is."""
    values = context(evidence, SourceNumbers(known))
    try:
        return whole(own.template.render(values))
    except jinja2.UndefinedError as error:
        return _unknown(own, error, values)
    except SecurityError as error:
        cure = f"take it out: templates are rendered in a sandbox; {_WHAT_IS_THERE}"
        return TemplateMistake(own.path, _line(own, error), "PM104", f"not allowed: {str(error).rstrip('.')}", cure)
    except jinja2.TemplateNotFound as error:
        cure = f'only {TEMPLATE} can be extended or included: {{% extends "{TEMPLATE}" %}}'
        return TemplateMistake(own.path, _line(own, error), "PM103", f"there is no template {error.name!r}", cure)
    except Exception as error:  # noqa: BLE001 - a template may do anything that Python's operators and methods do
        message = f"{type(error).__name__}: {error}"[:400]
        return TemplateMistake(own.path, _line(own, error), "PM105", f"it fails: {message}", _WHAT_IS_THERE)


def _environment(name: str, text: str) -> jinja2.Environment:
    def load(wanted: str) -> str | None:
        return text if wanted == name else builtin_template(wanted)

    environment = _Sandbox(loader=jinja2.FunctionLoader(load), **OPTIONS)
    environment.globals.clear()  # range, lipsum, cycler …: what isn't there can't be misused
    environment.filters = {name: environment.filters[name] for name in JINJA_FILTERS}
    return prepare(environment)


def _unknown(own: OwnTemplate, error: jinja2.UndefinedError, values: Mapping[str, Any]) -> TemplateMistake:
    """A name that isn't there, with the nearest that is."""
    named = _NAME.search(str(error))
    near = difflib.get_close_matches(named[1], list(values), n=1) if named else []
    cure = f"write {near[0]}" if near else _WHAT_IS_THERE
    return TemplateMistake(own.path, _line(own, error), "PM103", str(error), cure)


def _line(own: OwnTemplate, error: BaseException) -> int:
    """The template's line where it went wrong; Jinja2 writes the template's lines into tracebacks."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == (own.template.filename or "<template>")
    ]
    return next((line for line in reversed(lines) if line), 1)


def _mistake(path: Path, line: int, code: str, message: str, cure: str) -> TemplateMistake:
    return TemplateMistake(str(path), line, code, message, cure)
