"""The API that pays."""

import uuid
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from prometheus_client import CollectorRegistry, Counter
from pydantic import BaseModel, ConfigDict, Field
from reference_system.disturbance import Disturbance
from reference_system.failures import TRY_LATER, Answer, log_failures

from fitness.database import StoreUnavailable
from fitness.payments.ledger import OUTCOMES, Ledger, Outcome, Payment
from fitness.payments.network import APPROVED, CUSTOMERS_OWN, NetworkFailed, NetworkSilent, PaymentNetwork
from fitness.payments.outcomes import Outcomes
from fitness.program import add_health
from fitness.tokens import Bearer, Claims

_ANSWERS = {
    StoreUnavailable: TRY_LATER,
    NetworkFailed: Answer(502, "the payment network is in trouble: nothing was paid, try again later"),
    NetworkSilent: Answer(504, "it isn't known whether you have paid: look at your statement before you pay again"),
}


class NewPayment(BaseModel):
    """What somebody pays, and by which card."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    amount_cents: Annotated[int, Field(gt=0, le=10**9)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
    card_number: Annotated[str, Field(pattern=r"^[0-9]{16}$", repr=False)]


class Paid(BaseModel):
    """Answer to a payment that succeeded."""

    id: str


class Payments:
    """Pays, keeps account of it, and counts what came of it."""

    def __init__(self, ledger: Ledger, network: PaymentNetwork, written: Outcomes, registry: CollectorRegistry) -> None:
        self._ledger = ledger
        self._network = network
        self._written = written
        self._outcomes = Counter(
            "fitness_payments",
            "Payments by what came of them: declined is the customer's card, failed the network's trouble, "
            "unknown that it gave no answer that says it.",
            ["outcome"],
            registry=registry,
        )
        for outcome in OUTCOMES:
            self._outcomes.labels(outcome)

    def pay(self, account: str, new: NewPayment) -> str:
        """The payment's id; 402 where the card was declined.

        Raises:
            StoreUnavailable: the network wasn't asked.
            NetworkFailed: nothing was paid.
            NetworkSilent: whether it was isn't known.
        """
        payment_id = uuid.uuid4().hex
        self._ledger.begin(Payment(payment_id, account, new.amount_cents, new.currency, new.card_number[-4:]))
        try:
            code = self._network.authorize(payment_id, new.amount_cents, new.currency, new.card_number)
        except NetworkSilent:
            self._end(payment_id, "unknown")
            raise
        except NetworkFailed:
            self._end(payment_id, "failed")
            raise
        self._end(payment_id, "paid" if code == APPROVED else "declined")
        if code != APPROVED:
            raise HTTPException(402, CUSTOMERS_OWN[code])
        return payment_id

    def _end(self, payment_id: str, outcome: Outcome) -> None:
        self._outcomes.labels(outcome).inc()
        self._written.write(payment_id, outcome)


def create_app(payments: Payments, bearer: Bearer, disturbance: Disturbance) -> FastAPI:
    """The API over its parts."""
    app = FastAPI(title="Fitness: payments", version="1.0.0")
    log_failures(app, _ANSWERS)

    # A plain function runs in a pool of threads: network and database may block.
    @app.post("/payments", status_code=201, dependencies=[Depends(disturbance)])
    def pay(new: NewPayment, claims: Annotated[Claims, Depends(bearer)]) -> Paid:
        return Paid(id=payments.pay(claims.user, new))

    add_health(app)
    return app
