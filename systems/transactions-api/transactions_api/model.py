"""What the service speaks of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

_NO_CONTROL_CHARACTERS: Final = r"^\P{Cc}*$"
"""No database of text takes them all: PostgreSQL refuses NUL."""


class NewTransaction(BaseModel):
    """What a client posts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Annotated[str, Field(min_length=1, max_length=64, pattern=_NO_CONTROL_CHARACTERS)]
    amount_cents: Annotated[int, Field(gt=0, le=10**12)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
    description: Annotated[str, Field(max_length=200, pattern=_NO_CONTROL_CHARACTERS)] = ""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction, as published and stored."""

    id: str
    account: str
    amount_cents: int
    currency: str
    description: str
    created_at: datetime
    """Aware, UTC."""


@dataclass(frozen=True, slots=True)
class Message:
    """A transaction on its way from the API to the database."""

    transaction: Transaction
    headers: Mapping[str, str] = field(default_factory=dict)
    """The trace context of the request that published it (W3C `traceparent`), and when that was."""
    redelivered: bool = field(default=False, compare=False)
    """Whether it was received before and not acknowledged."""
    receives: int = field(default=1, compare=False)
    """How often the broker has delivered it."""
    receipt: str = field(default="", compare=False)
    """What the broker knows this delivery by."""


TRANSACTIONS = TypeAdapter(Transaction)
"""Transactions as JSON; what is none is a ValueError that says why."""
