"""The only way from a page to Prometheus: questions of our own making, bounded, asked once for everybody."""

from sereno_portal.gateway.gateway import Answer, Gateway, NotAnswered, PanelText, Question, TooMuch
from sereno_portal.gateway.history import History, Replay, Replayed, Source
from sereno_portal.gateway.span import Span, span_of

__all__ = [
    "Answer",
    "Gateway",
    "History",
    "NotAnswered",
    "PanelText",
    "Question",
    "Replay",
    "Replayed",
    "Source",
    "Span",
    "TooMuch",
    "span_of",
]
