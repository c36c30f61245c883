"""Two versions of specs side by side (docs/plan.md): what a change of them does to rules, cost and history.

Pure: whoever asks a server hands in how many series there are (`with_counts`) and what a version would have done
(`with_consequences`).
"""

from sereno_slo.changes.comparing import Comparison, Side, compare, with_consequences, with_counts
from sereno_slo.changes.consequences import Consequences, Edition, Replay
from sereno_slo.changes.cost import SeriesCounts, cost_of
from sereno_slo.changes.document import as_json
from sereno_slo.changes.markdown import as_markdown
from sereno_slo.changes.text import as_text

__all__ = [
    "Comparison",
    "Consequences",
    "Edition",
    "Replay",
    "SeriesCounts",
    "Side",
    "as_json",
    "as_markdown",
    "as_text",
    "compare",
    "cost_of",
    "with_consequences",
    "with_counts",
]
