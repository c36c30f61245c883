"""From an incident to a postmortem draft: ask (evidence) → order (timeline, hints) → render → write, or renew."""

from sereno_postmortems.draft.charts import Chart, draw_charts
from sereno_postmortems.draft.evidence import Evidence, gather
from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, Question, SourceKind
from sereno_postmortems.draft.logs_source import Logs, open_logs
from sereno_postmortems.draft.metrics_source import Metrics, open_metrics
from sereno_postmortems.draft.own_template import OwnTemplate, TemplateMistake, read_template, render_own
from sereno_postmortems.draft.render import render_draft
from sereno_postmortems.draft.timeline import recorded_words
from sereno_postmortems.draft.update import Updated, has_measured_blocks, known_sources, updated
from sereno_postmortems.draft.write import DraftExists, write_charts, write_draft

__all__ = [
    "Chart",
    "DraftExists",
    "Evidence",
    "Fact",
    "Logs",
    "Measured",
    "Metrics",
    "NotMeasured",
    "OwnTemplate",
    "Question",
    "SourceKind",
    "TemplateMistake",
    "Updated",
    "draw_charts",
    "gather",
    "has_measured_blocks",
    "known_sources",
    "open_logs",
    "open_metrics",
    "read_template",
    "recorded_words",
    "render_draft",
    "render_own",
    "updated",
    "write_charts",
    "write_draft",
]
