"""Keeps the exceptions of an instrumentation from the call that it watches.

OpenTelemetry's instrumentations are guarded at one place only, the tracer. What they do besides (reading a request,
injecting headers by whatever propagator is set) runs in the middle of somebody's call. So the watched function is laid
between two layers of ours: the inner one, below the instrumentation, notes what the function itself did; the outer one
tells by that whose exception it sees. The function is called once, whatever happens above it.
"""

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from sereno_telemetry.clients.unsampled import ShortWayInto
from sereno_telemetry.metrics.health import TelemetryHealth


class _Call:
    """What the watched function did in one call."""

    __slots__ = ("error", "result", "returned")

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.result: Any = None
        self.returned = False

    def owns(self, error: BaseException) -> bool:
        """Whether the function raised `error`; asked once."""
        own = error is self.error
        if own:
            self.error = None  # else it would keep itself alive, by its traceback: the frames there know this call
        return own

    def take_error(self) -> BaseException:
        """The function's exception; as it was raised, with its own cause and context."""
        error, self.error = self.error, None
        return error  # type: ignore[return-value]


class Guard:
    """Both layers around one function, named `module:Class.method`."""

    def __init__(
        self, owner: type, name: str, target: str, health: TelemetryHealth, unsampled: ShortWayInto | None = None
    ) -> None:
        self._unsampled = unsampled
        self._owner = owner
        self._name = name
        self._target = target
        self._health = health
        self._original: Callable[..., Any] = getattr(owner, name)
        self._current: ContextVar[_Call | None] = ContextVar(f"sereno_{target}", default=None)
        make = self._inner_async if inspect.iscoroutinefunction(self._original) else self._inner
        self._below = functools.wraps(self._original)(make())
        self._instrumented: Any = None

    @classmethod
    def of(cls, target: str, health: TelemetryHealth, unsampled: ShortWayInto | None = None) -> "Guard | None":
        """A guard of `target`, or None if the installed version has no such function."""
        module, _, path = target.partition(":")
        class_name, _, method = path.partition(".")
        try:
            owner = getattr(import_module(module), class_name)
            return cls(owner, method, target, health, unsampled)
        except (ImportError, AttributeError):
            return None

    def lay_below(self) -> None:
        """Put the inner layer in place; call it before the library is instrumented."""
        setattr(self._owner, self._name, self._below)

    def lay_above(self) -> None:
        """Put the outer layer in place, if the instrumentation has wrapped the function."""
        # From the class's dictionary: getattr would bind a wrapt wrapper to the class.
        instrumented = vars(self._owner)[self._name]
        if instrumented is self._below:
            return
        self._instrumented = instrumented
        asynchronous = inspect.iscoroutinefunction(self._original)
        above = (self._outer_async if asynchronous else self._outer)(instrumented)
        if self._unsampled is not None:
            shorten = self._unsampled.shorten_async if asynchronous else self._unsampled.shorten
            above = shorten(self._original, above)
        setattr(self._owner, self._name, functools.wraps(self._original)(above))

    def take_above(self) -> None:
        """Take the outer layer away; call it before the library is uninstrumented."""
        if self._instrumented is not None:
            setattr(self._owner, self._name, self._instrumented)

    def take_below(self) -> None:
        """Take the inner layer away."""
        setattr(self._owner, self._name, self._original)

    def _inner(self) -> Callable[..., Any]:
        original, current = self._original, self._current

        def watched(*args: Any, **kwargs: Any) -> Any:
            call = current.get()
            if call is None:
                return original(*args, **kwargs)
            try:
                call.result = original(*args, **kwargs)
            except BaseException as error:
                call.error = error
                raise
            call.returned = True
            return call.result

        return watched

    def _inner_async(self) -> Callable[..., Any]:
        original, current = self._original, self._current

        async def watched(*args: Any, **kwargs: Any) -> Any:
            call = current.get()
            if call is None:
                return await original(*args, **kwargs)
            try:
                call.result = await original(*args, **kwargs)
            except BaseException as error:
                call.error = error
                raise
            call.returned = True
            return call.result

        return watched

    def _outer(self, instrumented: Any) -> Callable[..., Any]:
        original, current = self._original, self._current

        def guarded(instance: Any, *args: Any, **kwargs: Any) -> Any:
            call = _Call()
            token = current.set(call)
            try:
                return instrumented.__get__(instance)(*args, **kwargs)
            except BaseException as error:
                if call.owns(error) or not isinstance(error, Exception):
                    raise
                self._note(error)
            finally:
                current.reset(token)
            if call.error is not None:
                raise call.take_error()
            return call.result if call.returned else original(instance, *args, **kwargs)

        return guarded

    def _outer_async(self, instrumented: Any) -> Callable[..., Any]:
        original, current = self._original, self._current

        async def guarded(instance: Any, *args: Any, **kwargs: Any) -> Any:
            call = _Call()
            token = current.set(call)
            try:
                return await instrumented.__get__(instance)(*args, **kwargs)
            except BaseException as error:
                if call.owns(error) or not isinstance(error, Exception):
                    raise
                self._note(error)
            finally:
                current.reset(token)
            if call.error is not None:
                raise call.take_error()
            return call.result if call.returned else await original(instance, *args, **kwargs)

        return guarded

    def _note(self, error: Exception) -> None:
        self._health.note(error, doing=f"watching a call of {self._target}")
