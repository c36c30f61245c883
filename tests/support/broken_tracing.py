"""Parts of OpenTelemetry's SDK with a bug in them: what instrumentation must keep from the work it watches."""

# ruff: noqa: ARG002, D102 - the signatures below are OpenTelemetry's

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import Sampler, SamplingResult


class BrokenSampler(Sampler):
    """A sampler with a bug: spans can't be started."""

    def should_sample(self, *args: object, **kwargs: object) -> SamplingResult:
        raise RuntimeError("broken sampler")

    def get_description(self) -> str:
        return "broken"


class BrokenProcessor(SpanProcessor):
    """A span processor with a bug at the place that is named."""

    def __init__(self, at: str) -> None:
        self._at = at

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if self._at == "start":
            raise RuntimeError("broken processor")

    def on_end(self, span: ReadableSpan) -> None:
        if self._at == "end":
            raise RuntimeError("broken processor")
