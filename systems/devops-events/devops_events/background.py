"""Work beside what is served: a coroutine on an event loop of its own, in a thread that ends when it is told to."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

_logger = logging.getLogger(__name__)

Work = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set."""


class Background:
    """Runs `work` until it is stopped."""

    def __init__(self, name: str, work: Work) -> None:
        self._work = work
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        self._begun.wait()

    def stop(self, timeout_seconds: float) -> None:
        """Ask it to end, and wait for that."""
        if self._loop is not None and self._stopping is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception:
            _logger.exception("%s failed", self._thread.name)

    async def _main(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        await self._work(self._stopping)
