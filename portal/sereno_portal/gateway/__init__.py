"""The only way from a page to Prometheus: questions of our own making, bounded, asked once for everybody."""

from sereno_portal.gateway.explaining import Explainer
from sereno_portal.gateway.gateway import (
    MOST_SERIES,
    Answer,
    Gateway,
    NotAnswered,
    PanelText,
    Question,
    TooMuch,
)
from sereno_portal.gateway.history import History, Replay, Replayed, Source
from sereno_portal.gateway.span import Length, Span, span_of

__all__ = [
    "MOST_SERIES",
    "Answer",
    "Explainer",
    "Gateway",
    "History",
    "Length",
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
