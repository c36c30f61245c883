"""One watch around any form of function: plain, async, generator, async generator.

A watch is begun when the work begins and ended with the exception that ended it. Around a generator the context of the
watch is current only while the generator runs, not in the code that asks it for the next item.
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Protocol, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


class Watch(Protocol):
    """What goes around a piece of work; no method raises."""

    def begin(self) -> None:
        """Start the clock."""

    def resume(self) -> None:
        """Make the context of the work current."""

    def suspend(self) -> None:
        """Bring back the context that was current before."""

    def end(self, error: BaseException | None) -> None:
        """Stop the clock."""


def watched(function: Function, watch_for: Callable[[tuple[Any, ...]], Watch]) -> Function:
    """`function` with a watch around each call; `watch_for` gets the call's positional arguments."""
    form: Callable[..., Any]
    if inspect.isasyncgenfunction(function):
        form = _async_generator(function, watch_for)
    elif inspect.isgeneratorfunction(function):
        form = _generator(function, watch_for)
    elif _is_async(function):
        form = _coroutine(function, watch_for)
    else:
        form = _plain(function, watch_for)
    return functools.wraps(function)(form)  # type: ignore[return-value]


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _plain(function: Callable[..., Any], watch_for: Callable[[tuple[Any, ...]], Watch]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        watch = watch_for(arguments)
        watch.begin()
        watch.resume()
        try:
            result = function(*arguments, **named)
        except BaseException as error:
            watch.suspend()
            watch.end(error)
            raise
        watch.suspend()
        watch.end(None)
        return result

    return call


def _coroutine(function: Callable[..., Any], watch_for: Callable[[tuple[Any, ...]], Watch]) -> Callable[..., Any]:
    async def call(*arguments: Any, **named: Any) -> Any:
        watch = watch_for(arguments)
        watch.begin()
        watch.resume()
        try:
            result = await function(*arguments, **named)
        except BaseException as error:
            watch.suspend()
            watch.end(error)
            raise
        watch.suspend()
        watch.end(None)
        return result

    return call


def _generator(function: Callable[..., Any], watch_for: Callable[[tuple[Any, ...]], Watch]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Generator[Any, Any, Any]:
        watch = watch_for(arguments)
        watch.begin()
        watched_steps = function(*arguments, **named)
        step: Callable[[], Any] = functools.partial(next, watched_steps)
        try:
            while True:
                watch.resume()
                try:
                    item = step()
                finally:
                    watch.suspend()
                try:
                    step = functools.partial(watched_steps.send, (yield item))
                except GeneratorExit:
                    watch.resume()
                    try:
                        watched_steps.close()
                    finally:
                        watch.suspend()
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in: the generator's to handle
                    step = functools.partial(watched_steps.throw, error)
        except StopIteration as end:
            watch.end(None)
            return end.value
        except GeneratorExit:
            watch.end(None)  # whoever asked has enough: that is no failure
            raise
        except BaseException as error:
            watch.end(error)
            raise

    return call


def _async_generator(function: Callable[..., Any], watch_for: Callable[[tuple[Any, ...]], Watch]) -> Callable[..., Any]:
    async def call(*arguments: Any, **named: Any) -> AsyncGenerator[Any, Any]:
        watch = watch_for(arguments)
        watch.begin()
        watched_steps = function(*arguments, **named)
        step: Callable[[], Any] = functools.partial(anext, watched_steps)
        try:
            while True:
                watch.resume()
                try:
                    item = await step()
                finally:
                    watch.suspend()
                try:
                    step = functools.partial(watched_steps.asend, (yield item))
                except GeneratorExit:
                    watch.resume()
                    try:
                        await watched_steps.aclose()
                    finally:
                        watch.suspend()
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in: the generator's to handle
                    step = functools.partial(watched_steps.athrow, error)
        except StopAsyncIteration:
            watch.end(None)
        except GeneratorExit:
            watch.end(None)  # whoever asked has enough: that is no failure
            raise
        except BaseException as error:
            watch.end(error)
            raise

    return call
