"""The client libraries that are measured, and how each one is instrumented."""

import importlib.util
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from opentelemetry import trace
from opentelemetry.metrics import NoOpMeterProvider

from sereno_telemetry.clients.guarding import Guard
from sereno_telemetry.clients.measuring import MeasuringTracerProvider
from sereno_telemetry.clients.metrics import ClientMetrics
from sereno_telemetry.clients.sql import SqlAlchemyEvents, within_statement
from sereno_telemetry.clients.unsampled import (
    HTTPX,
    REDIS_COMMAND,
    REDIS_PIPELINE,
    ShortWay,
    ShortWayInto,
    UnsampledCalls,
)
from sereno_telemetry.metrics.health import TelemetryHealth

_logger = logging.getLogger("sereno_telemetry")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where spans and figures go."""

    provider: trace.TracerProvider
    metrics: ClientMetrics
    health: TelemetryHealth


@dataclass(frozen=True, slots=True)
class Instrumented:
    """A library whose calls are measured, and how that is taken back."""

    name: str
    undo: Callable[[], None]


@dataclass(frozen=True, slots=True)
class MissingInstrumentation:
    """A library that is installed, without the package that instruments it."""

    package: str


@dataclass(frozen=True, slots=True)
class NotInstrumented:
    """A library that isn't installed, or whose instrumentation couldn't be set up."""


Outcome = Instrumented | MissingInstrumentation | NotInstrumented


@dataclass(frozen=True, slots=True)
class Watched:
    """A function whose calls an instrumentation watches."""

    target: str
    """`module:Class.method`"""
    short_way: ShortWay | None = None
    """How its unsampled calls are measured without the instrumentation."""

    def guard(self, unsampled: UnsampledCalls, *, may_shorten: bool) -> Guard | None:
        """What keeps the instrumentation's exceptions from it; None if the installed version has no such function."""
        way = ShortWayInto(self.short_way, unsampled) if self.short_way is not None and may_shorten else None
        return Guard.of(self.target, unsampled.health, way)


@dataclass(frozen=True, slots=True)
class Library:
    """A library that an OpenTelemetry instrumentation watches."""

    name: str
    """What is imported; also its name for `instrument_clients(libraries=…)`."""
    package: str
    """The distribution that instruments it."""
    instrumentor: str
    """`module:Class` of its instrumentor."""
    watched: tuple[Watched, ...] = ()
    """What the instrumentation wraps and runs code of its own in."""
    exclusions: str = ""
    """The library's name in OTEL_PYTHON_…_EXCLUDED_URLS, if there is such a variable."""
    below_sqlalchemy: bool = False
    """Whether it may be the driver of SQLAlchemy's engines, whose statements are measured there."""
    dependency: bool = False
    """Whether it mostly comes as a dependency of another library: then nobody is told that it isn't measured."""

    def instrument(self, setting: Setting) -> Outcome:
        """Instrument the library if it is there; a failure leaves its calls as they are."""
        if not _installed(self.name):
            return NotInstrumented()
        guards: list[Guard] = []
        try:
            instrumentor = _instrumentor(self.instrumentor)
            if instrumentor is None:
                return NotInstrumented() if self.dependency else MissingInstrumentation(self.package)
            if instrumentor.is_instrumented_by_opentelemetry:
                _logger.warning("%s is instrumented already: its calls are not measured", self.name)
                return NotInstrumented()
            guards += self._guards(setting)
            self._wrap(instrumentor, guards, setting)
        except Exception as error:  # noqa: BLE001 - fail open
            setting.health.note(error, doing=f"instrumenting {self.name}")
            for guard in guards:
                guard.take_below()
            return NotInstrumented()
        if not instrumentor.is_instrumented_by_opentelemetry:  # a version that doesn't suit; OpenTelemetry has said so
            for guard in guards:
                guard.take_below()
            return NotInstrumented()
        return Instrumented(self.name, lambda: _unwrap(instrumentor, guards))

    def _guards(self, setting: Setting) -> list[Guard]:
        unsampled = UnsampledCalls(setting.provider, setting.metrics, setting.health)
        # URLs that the application excludes are for the instrumentation to recognise.
        variables = (f"OTEL_PYTHON_{self.exclusions}_EXCLUDED_URLS", "OTEL_PYTHON_EXCLUDED_URLS")
        may_shorten = not (self.exclusions and any(os.environ.get(variable) for variable in variables))
        guards = [watched.guard(unsampled, may_shorten=may_shorten) for watched in self.watched]
        return [guard for guard in guards if guard is not None]

    def _wrap(self, instrumentor: Any, guards: list[Guard], setting: Setting) -> None:
        for guard in guards:
            guard.lay_below()
        covered = within_statement if self.below_sqlalchemy else None
        instrumentor.instrument(
            tracer_provider=MeasuringTracerProvider(setting.provider, setting.metrics, setting.health, covered),
            meter_provider=NoOpMeterProvider(),  # calls are counted once, by us
        )
        for guard in guards:
            guard.lay_above()


@dataclass(frozen=True, slots=True)
class SqlAlchemy:
    """SQLAlchemy, watched by its own events."""

    name: str = "sqlalchemy"

    def instrument(self, setting: Setting) -> Outcome:
        """Listen to every engine of the process, if SQLAlchemy is there."""
        if not _installed(self.name):
            return NotInstrumented()
        try:
            provider = MeasuringTracerProvider(setting.provider, setting.metrics, setting.health)
            unsampled = UnsampledCalls(setting.provider, setting.metrics, setting.health)
            events = SqlAlchemyEvents(provider.get_tracer("sereno_telemetry"), unsampled)
            events.listen()
        except Exception as error:  # noqa: BLE001 - fail open
            setting.health.note(error, doing="instrumenting sqlalchemy")
            return NotInstrumented()
        return Instrumented(self.name, events.leave)


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # its parent isn't there; or something else put a bare module of that name there
        return False


def _instrumentor(path: str) -> Any:
    """The instrumentor, or None if its package isn't installed."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)() if _installed(module) else None


def _unwrap(instrumentor: Any, guards: list[Guard]) -> None:
    for guard in guards:
        guard.take_above()
    instrumentor.uninstrument()
    for guard in guards:
        guard.take_below()


def _opentelemetry(
    name: str,
    instrumentor: str,
    *watched: Watched,
    package: str | None = None,
    exclusions: str = "",
    below_sqlalchemy: bool = False,
    dependency: bool = False,
) -> Library:
    package = package or name
    return Library(
        name,
        f"opentelemetry-instrumentation-{package}",
        f"opentelemetry.instrumentation.{package.replace('-', '_')}:{instrumentor}",
        watched,
        exclusions,
        below_sqlalchemy,
        dependency,
    )


def _redis_client(module: str) -> tuple[Watched, ...]:
    return (
        Watched(f"{module}.client:Redis.execute_command", REDIS_COMMAND),
        Watched(f"{module}.client:Pipeline.execute", REDIS_PIPELINE),
        Watched(f"{module}.client:Pipeline.immediate_execute_command", REDIS_COMMAND),
        Watched(f"{module}.cluster:RedisCluster.execute_command", REDIS_COMMAND),
        Watched(f"{module}.cluster:ClusterPipeline.execute", REDIS_PIPELINE),
    )


LIBRARIES: tuple[Library | SqlAlchemy, ...] = (
    _opentelemetry(
        "httpx",
        "HTTPXClientInstrumentor",
        Watched("httpx:HTTPTransport.handle_request", HTTPX),
        Watched("httpx:AsyncHTTPTransport.handle_async_request", HTTPX),
        exclusions="HTTPX",
    ),
    _opentelemetry("requests", "RequestsInstrumentor", Watched("requests:Session.send")),
    _opentelemetry(
        "urllib3",
        "URLLib3Instrumentor",
        Watched("urllib3.connectionpool:HTTPConnectionPool.urlopen"),
        dependency=True,
    ),
    _opentelemetry("aiohttp", "AioHttpClientInstrumentor", package="aiohttp-client"),
    SqlAlchemy(),
    _opentelemetry("psycopg", "PsycopgInstrumentor", below_sqlalchemy=True),
    _opentelemetry("asyncpg", "AsyncPGInstrumentor", below_sqlalchemy=True),
    _opentelemetry("redis", "RedisInstrumentor", *_redis_client("redis"), *_redis_client("redis.asyncio")),
    _opentelemetry("pika", "PikaInstrumentor"),
    _opentelemetry(
        "aio_pika", "AioPikaInstrumentor", Watched("aio_pika.exchange:Exchange.publish"), package="aio-pika"
    ),
)
"""Everything that can be measured."""
