"""From an incident to a postmortem draft: ask (evidence) → order (timeline, hints) → render → write."""

from sereno_postmortems.draft.evidence import Evidence, gather
from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, Question, SourceKind
from sereno_postmortems.draft.logs_source import Logs, open_logs
from sereno_postmortems.draft.metrics_source import Metrics, open_metrics
from sereno_postmortems.draft.render import render_draft
from sereno_postmortems.draft.write import DraftExists, write_draft

__all__ = [
    "DraftExists",
    "Evidence",
    "Fact",
    "Logs",
    "Measured",
    "Metrics",
    "NotMeasured",
    "Question",
    "SourceKind",
    "gather",
    "open_logs",
    "open_metrics",
    "render_draft",
    "write_draft",
]
