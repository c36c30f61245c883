"""The API that customers use."""

import uuid
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query
from prometheus_client import CollectorRegistry, Counter
from pydantic import BaseModel
from reference_system.disturbance import Disturbance
from reference_system.failures import TRY_LATER, Answer, log_failures
from sereno_telemetry import publishing

from transactions_api.card_network import CardNetworkTimeout
from transactions_api.model import Message, NewTransaction, Transaction
from transactions_api.store import StoreUnavailable, TransactionStore
from transactions_api.topic import Publisher, TopicFull, TopicUnavailable

_ANSWERS = {
    CardNetworkTimeout: Answer(500, "the payment could not be authorized"),
    StoreUnavailable: TRY_LATER,
    TopicFull: TRY_LATER,
    TopicUnavailable: TRY_LATER,
}


class Published(BaseModel):
    """Answer to POST: the transaction is on its way to the database."""

    id: str


class Health(BaseModel):
    """Answer to GET /health: the process answers. Whether it does its work is what its SLOs say."""

    status: str = "ok"


def create_app(
    store: TransactionStore, topic: Publisher, disturbance: Disturbance, registry: CollectorRegistry
) -> FastAPI:
    """The API over its parts; 200 and 201 are success, everything else is a failed request."""
    app = FastAPI(title="Transactions API", version="1.0.0")
    log_failures(app, _ANSWERS)
    app.include_router(_transactions(store, topic, registry), dependencies=[Depends(disturbance)])

    @app.get("/health")
    async def health() -> Health:
        return Health()

    return app


def _transactions(store: TransactionStore, topic: Publisher, registry: CollectorRegistry) -> APIRouter:
    router = APIRouter(prefix="/transactions")
    refused = Counter(
        "transactions_publish_refused",
        "Transactions that the topic did not accept: too many wait, or the broker failed.",
        ["reason"],
        registry=registry,
    )
    for reason in ("full", "unavailable"):
        refused.labels(reason)  # there from the start, at 0

    # Plain functions run in a pool of threads: the database may block.
    @router.get("")
    def newest_transactions(limit: Annotated[int, Query(ge=1, le=200)] = 20) -> list[Transaction]:
        return list(store.newest(limit))

    @router.get("/{transaction_id}")
    def one_transaction(transaction_id: str) -> Transaction:
        found = store.find(transaction_id)
        if found is None:
            raise HTTPException(404, "there is no such transaction, or it is not stored yet")
        return found

    @router.post("", status_code=201)
    def publish_transaction(new: NewTransaction) -> Published:
        transaction = Transaction(
            id=uuid.uuid4().hex,
            account=new.account,
            amount_cents=new.amount_cents,
            currency=new.currency,
            description=new.description,
            created_at=datetime.now(UTC),
        )
        try:
            with publishing(topic.name, system=topic.system, registry=registry) as headers:
                topic.publish(Message(transaction, headers))
        except (TopicFull, TopicUnavailable) as error:
            refused.labels("full" if isinstance(error, TopicFull) else "unavailable").inc()
            raise
        return Published(id=transaction.id)

    return router
