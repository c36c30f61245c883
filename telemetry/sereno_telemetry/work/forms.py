"""One watch around any form of function: plain, async, generator, async generator.

A watch is begun when the work begins and ended with the exception that ended it. Around a generator the context of the
watch is current only while the generator runs, not in the code that asks it for the next item.
"""

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Generator
from types import TracebackType
from typing import Any, Generic, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
Subject = TypeVar("Subject")


class Watch(ABC, Generic[Subject]):
    """What goes around a piece of work, `with` it or around a function; none of its four methods may raise.

    `with` and `async with` give the `subject`: what the work may say of itself.
    """

    subject: Subject

    @abstractmethod
    def begin(self) -> None:
        """Start the clock."""

    @abstractmethod
    def resume(self) -> None:
        """Make the context of the work current."""

    @abstractmethod
    def suspend(self) -> None:
        """Bring back the context that was current before."""

    @abstractmethod
    def end(self, error: BaseException | None) -> None:
        """Stop the clock; `error` is what ended the work."""

    def __enter__(self) -> Subject:
        """Begin."""
        self.begin()
        self.resume()
        return self.subject

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End, with what came of it; the exception goes on."""
        self.suspend()
        self.end(error)

    async def __aenter__(self) -> Subject:
        """Begin."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End."""
        self.__exit__(kind, error, traceback)


WatchFor = Callable[[tuple[Any, ...]], Watch[Any]]


def watched(function: Function, watch_for: WatchFor) -> Function:
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


def _plain(function: Callable[..., Any], watch_for: WatchFor) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        with watch_for(arguments):
            return function(*arguments, **named)

    return call


def _coroutine(function: Callable[..., Any], watch_for: WatchFor) -> Callable[..., Any]:
    async def call(*arguments: Any, **named: Any) -> Any:
        with watch_for(arguments):
            return await function(*arguments, **named)

    return call


def _generator(function: Callable[..., Any], watch_for: WatchFor) -> Callable[..., Any]:
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


def _async_generator(function: Callable[..., Any], watch_for: WatchFor) -> Callable[..., Any]:
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
