"""Where transactions are kept: what any database of them does."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from reference_system.program import Unavailable

from transactions_api.model import Transaction


class StoreUnavailable(Unavailable):
    """The database could not do what it was asked; the message names the cause."""


class Unstorable(Exception):  # noqa: N818 - reads as what it is
    """The database never takes this, whatever is tried: such as text with the character NUL."""


class Writable(Protocol):
    """What a subscriber needs of a store."""

    def add(self, transactions: Sequence[Transaction]) -> None:
        """Write all in one commit; those that are there already stay as they are.

        Raises:
            StoreUnavailable: nobody knows whether they were written; trying again does no harm.
            Unstorable: none was written, and one of them can't ever be.
        """
        ...


class TransactionStore(Writable, Protocol):
    """A database of transactions; safe for several threads.

    A connection that fails is closed, and the next call opens a new one: a database that comes back is used again.
    """

    def newest(self, limit: int) -> tuple[Transaction, ...]:
        """The transactions stored last, newest first. Raises `StoreUnavailable`."""
        ...

    def find(self, transaction_id: str) -> Transaction | None:
        """The transaction with this id, None if it isn't stored. Raises `StoreUnavailable`."""
        ...

    def stored(self, ids: Iterable[str]) -> frozenset[str]:
        """Which of these ids are stored. Raises `StoreUnavailable`."""
        ...

    def close(self) -> None:
        """Close all connections; the next call opens one again."""
        ...


class Removable(Protocol):
    """A database that can really be taken away, so that every call of everybody fails."""

    def take_away(self) -> None:
        """Take it away. Raises `OSError` if that can't be done."""
        ...

    def bring_back(self) -> None:
        """Undo `take_away`. Raises `OSError` if that can't be done."""
        ...
