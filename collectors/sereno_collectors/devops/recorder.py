"""Brings deliveries to disk. Those that come while others are being written share the next transaction."""

import asyncio
from collections import deque

from fastapi.concurrency import run_in_threadpool
from sereno_backends.devops import Delivery, DevOpsEventStore, Receipt

MOST_IN_A_TRANSACTION = 200
MOST_BYTES_IN_A_TRANSACTION = 32 * 1024 * 1024


class Recorder:
    """One writer for many requests: a flush to disk costs the same for one delivery and for a hundred.

    All calls come from one event loop.
    """

    def __init__(self, store: DevOpsEventStore) -> None:
        self._store = store
        self._waiting: deque[tuple[Delivery, asyncio.Future[Receipt]]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def record(self, delivery: Delivery) -> Receipt:
        """Store a delivery; when this returns, it is on disk.

        Raises:
            DevOpsStoreUnavailable: it can't be written now; nothing of it was.
        """
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, answer))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await answer

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._write_some(self._next())
        finally:
            self._writer = None

    def _next(self) -> list[tuple[Delivery, asyncio.Future[Receipt]]]:
        batch = [self._waiting.popleft()]
        size = len(batch[0][0].body)
        while self._waiting and len(batch) < MOST_IN_A_TRANSACTION:
            size += len(self._waiting[0][0].body)
            if size > MOST_BYTES_IN_A_TRANSACTION:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _write_some(self, batch: list[tuple[Delivery, asyncio.Future[Receipt]]]) -> None:
        try:
            receipts = await run_in_threadpool(self._store.record, [delivery for delivery, _ in batch])
        except Exception as error:  # noqa: BLE001 - raised again by `record`, in the requests that it concerns
            if len(batch) > 1:  # one delivery must not be the others' undoing
                for one in batch:
                    await self._write_some([one])
                return
            _fail(batch[0][1], error)
            return
        for (_, answer), receipt in zip(batch, receipts, strict=True):
            if not answer.done():  # its request was given up meanwhile; what is stored stays stored
                answer.set_result(receipt)


def _fail(answer: asyncio.Future[Receipt], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
