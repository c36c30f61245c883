"""Payments in the database; of a card only its last four digits."""

from dataclasses import dataclass
from typing import Literal

from fitness.database import Database

Outcome = Literal["paid", "declined", "failed", "unknown"]
OUTCOMES: tuple[Outcome, ...] = ("paid", "declined", "failed", "unknown")

SCHEMA = (
    "CREATE SCHEMA IF NOT EXISTS payments",
    """
    CREATE TABLE IF NOT EXISTS payments.payments (
        id text PRIMARY KEY,
        account_id text NOT NULL,
        amount_cents bigint NOT NULL,
        currency text NOT NULL,
        card_end text NOT NULL,
        outcome text,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
)
_BEGIN = """
INSERT INTO payments.payments (id, account_id, amount_cents, currency, card_end)
VALUES (%(id)s, %(account)s, %(amount_cents)s, %(currency)s, %(card_end)s)
"""
_END = "UPDATE payments.payments SET outcome = %(outcome)s WHERE id = %(id)s"


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt to pay."""

    id: str
    account: str
    amount_cents: int
    currency: str
    card_end: str


class Ledger:
    """The table `payments.payments`. Every method raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, payment: Payment) -> None:
        """Before the network is asked: what has no outcome may have been paid."""
        row = {
            "id": payment.id,
            "account": payment.account,
            "amount_cents": payment.amount_cents,
            "currency": payment.currency,
            "card_end": payment.card_end,
        }
        with self._database.transaction() as connection:
            connection.execute(_BEGIN, row)

    def end(self, payment_id: str, outcome: Outcome) -> None:
        """What came of it."""
        with self._database.transaction() as connection:
            connection.execute(_END, {"id": payment_id, "outcome": outcome})
