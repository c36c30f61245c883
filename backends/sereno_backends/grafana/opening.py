"""What the variables of a dashboard stand for when it is opened; pure."""

import re
from collections.abc import Mapping, Sequence

from sereno_backends.grafana.filling import Value
from sereno_backends.grafana.model import Dashboard, Variable

ALL = "$__all"


def opening_values(dashboard: Dashboard, found: Mapping[str, Sequence[str]] | None = None) -> dict[str, Value]:
    """Each variable with its value; `found` are the values of those whose options a server must be asked for."""
    return {
        variable.name: opening_value(variable, (found or {}).get(variable.name, ())) for variable in dashboard.variables
    }


def opening_value(variable: Variable, found: Sequence[str] = ()) -> Value:
    """The value that a variable has to begin with; an empty text where there is nothing to choose, as in Grafana."""
    chosen = variable.current or _first(variable, found)
    if ALL in chosen:
        return variable.all_value or tuple(_choices(variable, found))
    return chosen if variable.is_pattern else chosen[0]


def _first(variable: Variable, found: Sequence[str]) -> tuple[str, ...]:
    if variable.kind in {"constant", "textbox", "datasource"}:
        return (variable.query,)
    if variable.includes_all:
        return (ALL,)
    return tuple(_choices(variable, found)[:1])


def _choices(variable: Variable, found: Sequence[str]) -> list[str]:
    """What is written down, or was found; a list with an empty text where there is nothing."""
    written = [option.value for option in variable.options if option.value != ALL]
    if not written and variable.kind in {"custom", "interval"}:
        written = _listed(variable.query)
    return written or list(found) or [""]


def _listed(query: str) -> list[str]:
    r"""The values of `7d, 30d` or `Text : value, Other : value`; a comma that belongs to a value is written `\,`."""
    parts = (part.replace("\\,", ",").strip() for part in re.split(r"(?<!\\),", query))
    return [part.partition(" : ")[2].strip() or part for part in parts if part]
