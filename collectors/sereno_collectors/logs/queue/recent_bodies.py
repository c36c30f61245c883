"""Bodies that were just queued and are mostly sent at once: they need not be read back from the file."""

from collections import OrderedDict

MOST_BYTES = 16_000_000


class RecentBodies:
    """A bounded memory of bodies by the numbers of their parcels."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[int, tuple[bytes, bytes]] = OrderedDict()
        self._size_bytes = 0

    def keep(self, number: int, body: bytes, compressed: bytes) -> None:
        """Remember it; where there is too much, the newest are forgotten, for they are wanted last."""
        self.pop(number)
        self._bodies[number] = body, compressed
        self._size_bytes += len(body) + len(compressed)
        while self._size_bytes > MOST_BYTES:
            _, dropped = self._bodies.popitem()
            self._size_bytes -= sum(map(len, dropped))

    def pop(self, number: int) -> tuple[bytes, bytes] | None:
        """Take out a body and what it is compressed; None where it isn't remembered."""
        found = self._bodies.pop(number, None)
        if found is not None:
            self._size_bytes -= sum(map(len, found))
        return found
