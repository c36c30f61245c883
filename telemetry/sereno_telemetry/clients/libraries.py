"""The client libraries that are measured, and how each one is instrumented."""

import importlib.util
import logging
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
class Library:
    """A library that an OpenTelemetry instrumentation watches."""

    name: str
    """What is imported; also its name for `instrument_clients(libraries=…)`."""
    package: str
    """The distribution that instruments it."""
    instrumentor: str
    """`module:Class` of its instrumentor."""
    watched: tuple[str, ...] = ()
    """`module:Class.method` of what the instrumentation wraps and runs code of its own in."""
    below_sqlalchemy: bool = False
    """Whether it may be the driver of SQLAlchemy's engines, whose statements are measured there."""
    dependency: bool = False
    """Whether it mostly comes as a dependency of another library: then nobody is told that it isn't measured."""

    def instrument(self, setting: Setting) -> Outcome:
        """Instrument the library if it is there; a failure leaves its calls as they are."""
        if importlib.util.find_spec(self.name) is None:
            return NotInstrumented()
        guards: list[Guard] = []
        try:
            instrumentor = _instrumentor(self.instrumentor)
            if instrumentor is None:
                return NotInstrumented() if self.dependency else MissingInstrumentation(self.package)
            if instrumentor.is_instrumented_by_opentelemetry:
                _logger.warning("%s is instrumented already: its calls are not measured", self.name)
                return NotInstrumented()
            guards += [guard for target in self.watched if (guard := Guard.of(target, setting.health)) is not None]
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
        if importlib.util.find_spec(self.name) is None:
            return NotInstrumented()
        try:
            provider = MeasuringTracerProvider(setting.provider, setting.metrics, setting.health)
            events = SqlAlchemyEvents(provider.get_tracer("sereno_telemetry"), setting.health)
            events.listen()
        except Exception as error:  # noqa: BLE001 - fail open
            setting.health.note(error, doing="instrumenting sqlalchemy")
            return NotInstrumented()
        return Instrumented(self.name, events.leave)


def _instrumentor(path: str) -> Any:
    """The instrumentor, or None if its package isn't installed."""
    module, _, name = path.partition(":")
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    return None if found is None else getattr(import_module(module), name)()


def _unwrap(instrumentor: Any, guards: list[Guard]) -> None:
    for guard in guards:
        guard.take_above()
    instrumentor.uninstrument()
    for guard in guards:
        guard.take_below()


def _opentelemetry(
    name: str,
    instrumentor: str,
    *watched: str,
    package: str | None = None,
    below_sqlalchemy: bool = False,
    dependency: bool = False,
) -> Library:
    package = package or name
    return Library(
        name,
        f"opentelemetry-instrumentation-{package}",
        f"opentelemetry.instrumentation.{package.replace('-', '_')}:{instrumentor}",
        watched,
        below_sqlalchemy,
        dependency,
    )


LIBRARIES: tuple[Library | SqlAlchemy, ...] = (
    _opentelemetry(
        "httpx",
        "HTTPXClientInstrumentor",
        "httpx:HTTPTransport.handle_request",
        "httpx:AsyncHTTPTransport.handle_async_request",
    ),
    _opentelemetry("requests", "RequestsInstrumentor", "requests:Session.send"),
    _opentelemetry(
        "urllib3", "URLLib3Instrumentor", "urllib3.connectionpool:HTTPConnectionPool.urlopen", dependency=True
    ),
    _opentelemetry("aiohttp", "AioHttpClientInstrumentor", package="aiohttp-client"),
    SqlAlchemy(),
    _opentelemetry("psycopg", "PsycopgInstrumentor", below_sqlalchemy=True),
    _opentelemetry("asyncpg", "AsyncPGInstrumentor", below_sqlalchemy=True),
    _opentelemetry(
        "redis",
        "RedisInstrumentor",
        "redis.client:Redis.execute_command",
        "redis.client:Pipeline.execute",
        "redis.client:Pipeline.immediate_execute_command",
        "redis.cluster:RedisCluster.execute_command",
        "redis.cluster:ClusterPipeline.execute",
        "redis.asyncio.client:Redis.execute_command",
        "redis.asyncio.client:Pipeline.execute",
        "redis.asyncio.client:Pipeline.immediate_execute_command",
        "redis.asyncio.cluster:RedisCluster.execute_command",
        "redis.asyncio.cluster:ClusterPipeline.execute",
    ),
    _opentelemetry("pika", "PikaInstrumentor"),
    _opentelemetry("aio_pika", "AioPikaInstrumentor", "aio_pika.exchange:Exchange.publish", package="aio-pika"),
)
"""Everything that can be measured."""
