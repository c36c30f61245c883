"""A backtest as one HTML file that needs nothing else: it opens offline, on a phone, in the dark."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import jinja2

from sereno_slo.backtest import wording
from sereno_slo.backtest.asking import written
from sereno_slo.backtest.charts import HEIGHT, WIDTH, charts
from sereno_slo.backtest.replaying import Backtest


def as_html(backtests: Sequence[Backtest]) -> str:
    """All of them on one page."""
    return _template().render(
        backtests=[(each, charts(each)) for each in backtests], width=WIDTH, height=HEIGHT, words=wording
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    environment.filters["moment"] = written
    return environment.get_template("backtest.html.j2")
