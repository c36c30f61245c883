"""Markdown files from the templates beside this module."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sereno_slo.promql import Expr
from sereno_slo.promql.layout import pretty
from sereno_slo.render.words import one_line, own_window_in_words, percent, sentence, table_cell

if TYPE_CHECKING:
    import jinja2

_TEMPLATES = Path(__file__).parent / "templates"


def render_markdown(template: str, **values: Any) -> str:
    """The template filled in; it ends with one line feed. A value that the template lacks is a bug and raises."""
    return f"{_environment().get_template(template).render(**values).rstrip()}\n"


@cache
def _environment() -> "jinja2.Environment":
    # Imported here: `sereno validate` must not pay for templates.
    import jinja2  # noqa: PLC0415

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Markdown for a repository, no HTML for a browser
    )
    environment.filters |= {
        "cell": table_cell,
        "line": one_line,
        "percent": percent,
        "promql": _promql,
        "sentence": sentence,
        "own_window": own_window_in_words,
    }
    return environment


def _promql(expr: Expr, *marks: str) -> str:
    """A fence that can be copied as it is; marks stand behind its language (runbooks/README.md)."""
    return f"```{' '.join(('promql', *marks))}\n{pretty(expr)}\n```"
