"""The head decision: whether a request's trace is sampled, before any span of it is built.

OpenTelemetry's middleware builds attributes, a span and a context for every request and asks the sampler in the middle
of that. Nine tenths of this is in vain where one request in a hundred is sampled, so here the question comes first: the
caller's decision if there is one, else the sampler's, on the same bits of the trace id as the SDK's sampler reads. Who
is not sampled still has its ids, for logs, and for the services that it calls.
"""

import copy
import functools
import re
from collections.abc import MutableMapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

from opentelemetry import propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import Getter, TextMapPropagator
from opentelemetry.sdk.trace import Tracer
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    StaticSampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import SpanContext, TraceFlags, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Scope = MutableMapping[str, Any]
Headers = Sequence[tuple[bytes, bytes]]

_ALWAYS = 1 << 64
_NEVER = 0
_LOW_BITS = _ALWAYS - 1

# What every sane client sends. Anything else goes to OpenTelemetry's own parser, which knows all exceptions.
_TRACEPARENT = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})\Z")
_CARRYING = frozenset({b"traceparent", b"tracestate", b"baggage"})
_ODD_DIGITS = frozenset(b"13579bdf")  # of the last digit of the flags: the trace is sampled
_NO_STATE = TraceState()
_EMPTY = Context()
_FLAGS = tuple(TraceFlags(number) for number in range(256))


@dataclass(frozen=True, slots=True)
class HeadPolicy:
    """A standard sampler as three bounds: a trace is sampled if the low 64 bits of its id are below the bound.

    This is how `TraceIdRatioBased` decides (OpenTelemetry SDK, "TraceIdRatioBased sampler"); always is 2^64, never 0.
    """

    root: int
    parent_sampled: int
    parent_not_sampled: int

    def samples(self, parent: SpanContext | None, trace_id: int) -> bool:
        """Whether the request of that trace id is sampled; `parent` is what the caller sent."""
        if parent is None:
            return trace_id & _LOW_BITS < self.root
        bound = self.parent_sampled if parent.trace_flags & TraceFlags.SAMPLED else self.parent_not_sampled
        return trace_id & _LOW_BITS < bound


def head_policy(sampler: Sampler) -> HeadPolicy | None:
    """The policy of a standard sampler of the SDK; None for all others, which must be asked with a span at hand."""
    if _decides_as(sampler, ParentBased):
        # ParentBased has no public way to ask what it consists of.
        names = ("_root", "_remote_parent_sampled", "_remote_parent_not_sampled")
        root, sampled, not_sampled = (_bound(getattr(sampler, name, None)) for name in names)
    else:
        root = sampled = not_sampled = _bound(sampler)
    if root is None or sampled is None or not_sampled is None:
        return None
    return HeadPolicy(root, sampled, not_sampled)


def _bound(sampler: object) -> int | None:
    if isinstance(sampler, TraceIdRatioBased) and _decides_as(sampler, TraceIdRatioBased):
        return sampler.bound
    if isinstance(sampler, StaticSampler) and _decides_as(sampler, StaticSampler):
        decision = sampler.should_sample(None, 0, "").decision
        return {Decision.RECORD_AND_SAMPLE: _ALWAYS, Decision.DROP: _NEVER}.get(decision)
    return None


def _decides_as(sampler: object, kind: type[Sampler]) -> bool:
    """Whether `sampler` is of that kind, its subclasses included as far as they decide in the same way."""
    return isinstance(sampler, kind) and type(sampler).should_sample is kind.should_sample


class UnbuiltSpan(trace.NonRecordingSpan):
    """What is decided about a request, and what stands for it if no span is built: it knows its ids, and no more.

    Nobody asks most requests for their ids, so they are put together when somebody does.
    """

    def __init__(self, known: "bytes | _Begun | SpanContext", *, sampled: bool, carried: Context) -> None:
        self._known = known
        self.sampled = sampled
        self.carried = carried
        """What the caller sent along (baggage)."""

    def get_span_context(self) -> SpanContext:
        """Its ids, the same at each call."""
        known = self._known
        if not isinstance(known, SpanContext):
            known = self._known = _of_caller(known, self.sampled) if isinstance(known, bytes) else known.identity()
        return known

    def __repr__(self) -> str:
        return f"UnbuiltSpan({self.get_span_context()!r})"


class _Begun(NamedTuple):
    """The ids of a trace that begins here."""

    trace_id: int
    span_id: int
    flags: TraceFlags

    def identity(self) -> SpanContext:
        return SpanContext(self.trace_id, self.span_id, False, self.flags, _NO_STATE)  # noqa: FBT003


def _of_caller(traceparent: bytes, sampled: bool) -> SpanContext:
    """The caller's own span: none of ours comes between it and the services that are called from here."""
    flags = int(traceparent[53:], 16) & ~TraceFlags.SAMPLED | sampled
    return SpanContext(int(traceparent[3:35], 16), int(traceparent[36:52], 16), True, _FLAGS[flags], _NO_STATE)  # noqa: FBT003


class HeadSampling:
    """Decides for the requests whose spans one tracer builds."""

    def __init__(self, policy: HeadPolicy, ids: IdGenerator) -> None:
        self._policy = policy
        self._ids = ids
        self._root_flags = TraceFlags.RANDOM_TRACE_ID if ids.is_trace_id_random() else TraceFlags.DEFAULT

    @staticmethod
    def of(tracer: trace.Tracer) -> "HeadSampling | None":
        """What decides in place of `tracer`; None if its sampler or itself isn't the SDK's."""
        if not isinstance(tracer, Tracer):
            return None
        policy = head_policy(tracer.sampler)
        return None if policy is None else HeadSampling(policy, tracer.id_generator)

    def decide(self, scope: Scope) -> UnbuiltSpan | None:
        """Decide about the request of `scope`; None if its headers can't be read twice."""
        headers = scope["headers"]
        if not isinstance(headers, (list, tuple)):
            return None
        if _reads_w3c_headers(propagate.get_global_textmap()):
            carrying = [pair for pair in headers if pair[0] in _CARRYING]
            if not carrying:
                return self._begin(_EMPTY)
            name, value = carrying[0]
            if len(carrying) == 1 and name == b"traceparent" and _TRACEPARENT.match(value):
                return self._go_on(value)
        carried = propagate.extract(headers, Context(), _HEADERS)
        parent = trace.get_current_span(carried).get_span_context()
        return self._go_on_from(parent, carried) if parent.is_valid else self._begin(carried)

    def _begin(self, carried: Context) -> UnbuiltSpan:
        """The decision about a trace that begins here."""
        trace_id = self._ids.generate_trace_id()
        sampled = trace_id & _LOW_BITS < self._policy.root
        begun = _Begun(trace_id, self._ids.generate_span_id(), _FLAGS[self._root_flags | sampled])
        return UnbuiltSpan(begun, sampled=sampled, carried=carried)

    def _go_on(self, traceparent: bytes) -> UnbuiltSpan:
        """The decision about the trace of a plain `traceparent`."""
        policy = self._policy
        bound = policy.parent_sampled if traceparent[54] in _ODD_DIGITS else policy.parent_not_sampled
        # Nearly always the bound alone decides, and the trace's number isn't needed.
        sampled = bound == _ALWAYS or (bound != _NEVER and int(traceparent[19:35], 16) < bound)
        return UnbuiltSpan(traceparent, sampled=sampled, carried=_EMPTY)

    def _go_on_from(self, parent: SpanContext, carried: Context) -> UnbuiltSpan:
        """The decision about a trace that comes in another form; its state and baggage go on."""
        sampled = self._policy.samples(parent, parent.trace_id)
        flags = _FLAGS[parent.trace_flags & ~TraceFlags.SAMPLED | sampled]
        identity = SpanContext(parent.trace_id, parent.span_id, True, flags, parent.trace_state)  # noqa: FBT003
        return UnbuiltSpan(identity, sampled=sampled, carried=carried)


class _Headers(Getter[Headers]):
    """Reads headers as OpenTelemetry's own getter does, which raises for some bytes that clients can send."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        wanted = key.lower().encode()
        return [value.decode("utf-8", "replace") for name, value in carrier if name.lower() == wanted] or None

    def keys(self, carrier: Headers) -> list[str]:
        return [name.decode("latin-1") for name, _ in carrier]


_HEADERS = _Headers()


@functools.lru_cache(maxsize=1)
def _reads_w3c_headers(propagator: TextMapPropagator) -> bool:
    """Whether trace contexts come in the headers of W3C and no others, as is OpenTelemetry's default."""
    parts = getattr(propagator, "_propagators", ()) if type(propagator) is CompositePropagator else (propagator,)
    kinds = {type(part) for part in parts}
    return TraceContextTextMapPropagator in kinds and kinds <= {TraceContextTextMapPropagator, W3CBaggagePropagator}


# A sampled request: the span that OpenTelemetry's middleware builds must be the one that was decided about.

decided_trace_id: ContextVar[int] = ContextVar("sereno_telemetry_decided_trace_id", default=0)
"""The trace id of a request that was found to be sampled, while its server span is built."""


class _DecidedSampler(Sampler):
    """Samples what was decided about already, and asks `other` about everything else."""

    def __init__(self, other: Sampler) -> None:
        self._other = other

    def should_sample(
        self, parent_context: Context | None, trace_id: int, name: str, *more: Any, **options: Any
    ) -> SamplingResult:
        sampler = ALWAYS_ON if trace_id == decided_trace_id.get() else self._other
        return sampler.should_sample(parent_context, trace_id, name, *more, **options)

    def get_description(self) -> str:
        return self._other.get_description()


class _DecidedIds(IdGenerator):
    """Gives the trace id that was decided about, and else those of `other`."""

    def __init__(self, other: IdGenerator) -> None:
        self._other = other

    def generate_trace_id(self) -> int:
        return decided_trace_id.get() or self._other.generate_trace_id()

    def generate_span_id(self) -> int:
        return self._other.generate_span_id()

    def is_trace_id_random(self) -> bool:
        return self._other.is_trace_id_random()


def keeping_decisions(tracer: Tracer) -> Tracer:
    """A copy of `tracer` that builds sampled spans for what is in `decided_trace_id`."""
    keeping = copy.copy(tracer)  # a provider gives everybody the same tracer of one name
    keeping.sampler = _DecidedSampler(tracer.sampler)
    keeping.id_generator = _DecidedIds(tracer.id_generator)
    return keeping
