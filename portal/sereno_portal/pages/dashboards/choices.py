"""What can be chosen at the top of a dashboard, and what was: only values that were offered are ever filled in."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import promql_parser
from sereno_backends.grafana import Dashboard, Value, Variable, VariableOption, filled_in, opening_values
from sereno_slo.promql.parsing import parse

from sereno_portal.gateway import Gateway, PanelText, TooMuch

ALL = "$__all"
MOST_OPTIONS = 500
_ASKED = frozenset({"query"})
_CHOSEN = frozenset({"query", "custom", "interval"})
_LABEL_VALUES = re.compile(r"\s*label_values\(\s*(.+?)\s*,\s*([a-zA-Z_]\w*)\s*\)\s*", re.ASCII | re.DOTALL)
_NAMES = re.compile(r"(?:\$\{?|\[\[)(\w+)", re.ASCII)
_WRITTEN_LIST = re.compile(r"(?<!\\),")
# Characters that end a string of PromQL, kept apart until everything is filled in; Unicode has these for private use.
# Quotes come back by number, because `\'` is no escape between double quotes, nor `\"` between single ones. Backquoted
# strings have no escapes: there a pattern understands the number, and a plain comparison matches nothing.
_WRITTEN = {'"': "\\x22", "'": "\\x27", "`": "\\x60", "\n": "\\n", "\\": "\\\\"}
_PRIVATE = {character: chr(0xE000 + place) for place, character in enumerate(_WRITTEN)}
_BACKSLASH = _PRIVATE["\\"]
_APART = str.maketrans(
    {each: private for each, private in _PRIVATE.items() if each != "\\"} | dict.fromkeys(_PRIVATE.values())
)
_BACK = str.maketrans({private: _WRITTEN[each] for each, private in _PRIVATE.items()})


class ChoiceInvalid(Exception):  # noqa: N818 - reads as what happened
    """A value was asked for that nobody offered; the message says what is offered."""


@dataclass(frozen=True, slots=True)
class Option:
    """A value of a variable."""

    value: str
    text: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A variable, for the form."""

    name: str
    label: str
    has_several: bool
    options: tuple[Option, ...]
    depends_on: tuple[str, ...] = ()
    """The variables that decide what this one offers."""


@dataclass(frozen=True, slots=True)
class Choices:
    """All variables: what the form shows, and what is filled in."""

    shown: tuple[Choice, ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict)
    from_server: frozenset[str] = frozenset()
    """The variables whose values a server has told: any text may be in them."""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the address has to say again for the same to be shown."""
    trouble: str = ""

    def ready(self, text: str, built_in: Mapping[str, Value]) -> PanelText:
        """A query with everything filled in; no value can leave the string of PromQL that it stands in."""
        safe = {name: _apart(value) if name in self.from_server else value for name, value in self.values.items()}
        return PanelText(filled_in(text, {**safe, **built_in}).translate(_BACK))


def choices_of(gateway: Gateway, dashboard: Dashboard, asked: Mapping[str, tuple[str, ...]]) -> Choices:
    """What is offered, and what of it is chosen; variables that the dashboard hasn't are left aside.

    Args:
        gateway: where values of labels are asked.
        dashboard: whose variables.
        asked: names to values, from the address.

    Raises:
        ChoiceInvalid: a value isn't among those offered.
        NotAnswered: the server can't be asked which there are.
    """
    found = Choices(values=opening_values(dashboard))
    for variable in dashboard.variables:
        found = _with(found, gateway, variable, asked.get(variable.name, ()))
    return found


def _with(before: Choices, gateway: Gateway, variable: Variable, asked: tuple[str, ...]) -> Choices:
    if variable.kind not in _CHOSEN:
        # Free text would be a way to any query, and there is one data source: what the file says stays.
        if variable.kind == "constant" and asked and asked != (before.values[variable.name],):
            raise ChoiceInvalid(f"{variable.name} is always {before.values[variable.name]!r} here")
        return before
    offered, trouble = _offered(before, gateway, variable)
    chosen = _checked(variable, offered, asked) or _at_first(variable, offered)
    value: Value = chosen if variable.is_pattern else chosen[0]
    if ALL in chosen:
        value = variable.all_value or tuple(option.value for option in offered) or ("",)
    is_authored = variable.kind not in _ASKED or (ALL in chosen and variable.all_value)
    everything = (VariableOption("*", ALL),) if variable.includes_all else ()
    shown = Choice(
        variable.name,
        variable.label or variable.name,
        variable.is_multi,
        tuple(Option(each.value, each.text, each.value in chosen) for each in (*everything, *offered)),
        tuple(each.name for each in before.shown if each.name in _NAMES.findall(variable.query)),
    )
    return Choices(
        before.shown if variable.is_hidden else (*before.shown, shown),
        {**before.values, variable.name: value},
        before.from_server - {variable.name} if is_authored else before.from_server | {variable.name},
        {**before.chosen, variable.name: chosen} if asked else before.chosen,
        before.trouble or trouble,
    )


def _checked(variable: Variable, offered: Sequence[VariableOption], asked: tuple[str, ...]) -> tuple[str, ...]:
    known = [*([ALL] if variable.includes_all else []), *(option.value for option in offered)]
    for value in asked:
        if value not in known:
            near = difflib.get_close_matches(value, known, 5, 0.3) or known[:20]
            raise ChoiceInvalid(f"{variable.name} has no value {value[:80]!r} now; there are: {', '.join(near) or '-'}")
    if len(asked) > 1 and not variable.is_multi:
        raise ChoiceInvalid(f"{variable.name} takes one value")
    return (ALL,) if ALL in asked else asked


def _at_first(variable: Variable, offered: Sequence[VariableOption]) -> tuple[str, ...]:
    known = {option.value for option in offered}
    written = tuple(value for value in variable.current if value == ALL or value in known)
    if written or not (offered or variable.includes_all):
        return written or ("",)
    return (ALL,) if variable.includes_all else (offered[0].value,)


def _offered(before: Choices, gateway: Gateway, variable: Variable) -> tuple[tuple[VariableOption, ...], str]:
    if variable.kind in _ASKED:
        return _told(before, gateway, variable)
    written = tuple(option for option in variable.options if option.value != ALL)
    return written or tuple(_written(variable.query)), ""


def _told(before: Choices, gateway: Gateway, variable: Variable) -> tuple[tuple[VariableOption, ...], str]:
    """The values of a label within the last hour, as the server knows them."""
    match = _LABEL_VALUES.fullmatch(variable.query)
    selector = str(before.ready(match[1], {})) if match else ""
    if match is None or not _is_selector(selector):
        return (), f"{variable.name}: {variable.query[:80]!r} can't be asked here"
    question = PanelText(f"group by ({match[2]}) (last_over_time({selector}[1h]))")
    try:
        answer = gateway.label_values(question, match[2])
    except TooMuch as error:  # the rest of the dashboard is shown all the same
        return (), f"{variable.name}: {error}"
    values, trouble = answer.value, answer.trouble
    if len(values) > MOST_OPTIONS:
        trouble = f"{variable.name} has {len(values)} values; the first {MOST_OPTIONS} can be chosen"
    return tuple(VariableOption(value, value) for value in values[:MOST_OPTIONS]), trouble


def _is_selector(text: str) -> bool:
    try:
        return isinstance(parse(text), promql_parser.VectorSelector)
    except ValueError:
        return False


def _written(query: str) -> Iterator[VariableOption]:
    for part in _WRITTEN_LIST.split(query):
        text, _, value = part.replace("\\,", ",").strip().partition(" : ")
        if text:
            yield VariableOption(text.strip(), value.strip() or text.strip())


def _apart(value: Value) -> Value:
    """Quotes are kept out of the way; backslashes, too, where `filled_in` doesn't escape them itself."""
    if isinstance(value, str):
        return value.translate(_APART).replace("\\", _BACKSLASH)
    return tuple(each.translate(_APART) for each in value)
