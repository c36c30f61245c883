"""What one panel asks: its queries with everything filled in, through the gateway, and what went wrong meanwhile."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sereno_backends.grafana import Panel, Target, Value, filled_in
from sereno_backends.prometheus import Columns, Sample

from sereno_portal.gateway import Gateway, Span
from sereno_portal.pages.dashboards.choices import Choices
from sereno_portal.pages.dashboards.times import Shown, values_of
from sereno_portal.web.languages import said

_LEGEND = re.compile(r"\{\{\s*([a-zA-Z_]\w*)\s*\}\}", re.ASCII)


@dataclass(frozen=True)
class Asking:
    """Everything that a panel's answer depends on. The troubles are gathered while it is asked."""

    gateway: Gateway
    panel: Panel
    choices: Choices
    shown: Shown
    now: datetime
    language: str
    troubles: list[str] = field(default_factory=list)

    @cached_property
    def span(self) -> Span:
        """The time that the panel shows."""
        return self.shown.of(self.panel)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """The queries that are answered by Prometheus."""
        return tuple(each for each in self.panel.targets if each.expr and not each.is_hidden)

    def instant(self, target: Target) -> tuple[Sample, ...]:
        """The samples of the end of the time shown. Raises `NotAnswered`."""
        text = self.choices.ready(target.expr, values_of(self.span))
        answer = self.gateway.instant(text, at=None if self.shown.until is None else self.span.end)
        self._keep(answer.trouble)
        return answer.value

    def lines(self, expr: str, span: Span) -> tuple[Columns, ...]:
        """The lines of a query over a span. Raises `NotAnswered`."""
        answer = self.gateway.range(self.choices.ready(expr, values_of(span)), span)
        self._keep(answer.trouble)
        return answer.value

    def text(self, text: str, more: Mapping[str, Value] | None = None) -> str:
        """A title or an address with its variables filled in; it is no query."""
        return filled_in(text, {**self.choices.values, **values_of(self.span), **(more or {})})

    @property
    def trouble(self) -> str:
        """All troubles, in one text."""
        return "; ".join(self.troubles)

    def say(self, text: str, **values: object) -> str:
        """The text in the language of whoever looks."""
        return said(text, self.language, values)

    def note(self, text: str, **values: object) -> None:
        """Something that whoever looks has to know, said once."""
        self._keep(self.say(text, **values))

    def _keep(self, trouble: str) -> None:
        if trouble and trouble not in self.troubles:
            self.troubles.append(trouble)


def legend(written: str, labels: Mapping[str, str], otherwise: str) -> str:
    """`{{label}}` replaced by values; where no legend is written, all labels, or else `otherwise`."""
    if not written or written == "__auto":
        found = ", ".join(f"{name}={value}" for name, value in sorted(labels.items()) if name != "__name__")
        return found or labels.get("__name__", "") or otherwise
    return _LEGEND.sub(lambda match: labels.get(match[1], ""), written).strip() or otherwise
