"""Sends ready requests over kept connections, and says which were answered 200."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter

from benchmarks.devops_webhooks.deliveries import Delivery

CONNECTIONS = 16
_OK = b" 200 "


async def _connection(port: int, waiting: deque[Delivery], answered: list[int], after: Callable[[int], None]) -> None:
    """Send what waits, one after the other; a connection that breaks ends it."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return
    try:
        while waiting:
            one = waiting.popleft()
            writer.write(one.request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            if _OK in head[:16]:
                answered.append(one.number)
                after(len(answered))
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


def send(
    port: int, deliveries: Sequence[Delivery], after: Callable[[int], None] = lambda _: None
) -> tuple[list[int], float]:
    """The numbers that were answered 200, and how long it took, in seconds.

    Args:
        port: of a server on loopback.
        deliveries: what to send, in this order.
        after: told how many were answered, after each of them.
    """
    waiting, answered = deque(deliveries), list[int]()

    async def all_of_them() -> None:
        await asyncio.gather(*(_connection(port, waiting, answered, after) for _ in range(CONNECTIONS)))

    began = perf_counter()
    asyncio.run(all_of_them())
    return answered, perf_counter() - began
