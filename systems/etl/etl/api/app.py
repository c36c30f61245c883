"""The program: the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import httpx
from fastapi import APIRouter, Depends, HTTPException, Path, Query
from reference_system.disturbance import ERRORS, LATENCY, Disturbance
from reference_system.failures import TRY_LATER, Answer, log_failures
from sereno_telemetry import instrument_clients

from etl.api.reading import BatchAccount, Reading, RejectedRow, Total
from etl.connections import EXTRACT, Connections, ServerUnavailable
from etl.database import Database, DatabaseUnavailable
from etl.model import Order
from etl.service import Parts

SERVICE = "etl-api"
KINDS = (ERRORS, LATENCY)

_DATABASE_SECONDS = 2.0
_EXTRACT_SECONDS = 2.0


class ExtractUnavailable(ServerUnavailable):
    """Extract could not be asked for a run."""

    def __init__(self, cause: object) -> None:
        super().__init__(EXTRACT, cause)


class ReportBroken(Exception):  # noqa: N818 - reads as what happened
    """What is broken while the fault `errors` is on."""


_ANSWERS = {
    DatabaseUnavailable: TRY_LATER,
    ExtractUnavailable: TRY_LATER,
    ReportBroken: Answer(500, "the report is broken"),
}


def _fail() -> None:
    raise ReportBroken("a report has no template for this currency")


@contextmanager
def build(parts: Parts) -> Iterator[None]:
    """Add the routes."""
    instrument_clients(registry=parts.registry, libraries=["httpx"])  # the others cost 20 MB, and aren't used
    database = Database(
        parts.settings.database_url, parts.connections, parts.registry, most_idle=4, timeout_seconds=_DATABASE_SECONDS
    )
    extract = httpx.Client(base_url=parts.settings.extract_url, timeout=_EXTRACT_SECONDS, trust_env=False)
    log_failures(parts.app, _ANSWERS)
    disturbed = [Depends(Disturbance(parts.faults, _fail))]
    parts.app.include_router(_table(Reading(database)), dependencies=disturbed)
    parts.app.include_router(_runs(extract, parts.connections), dependencies=disturbed)
    try:
        yield
    finally:
        extract.close()
        database.close()


def _table(reading: Reading) -> APIRouter:
    router = APIRouter()

    # Plain functions run in a pool of threads: the database may block.
    @router.get("/orders")
    def newest_orders(limit: Annotated[int, Query(ge=1, le=200)] = 20) -> list[Order]:
        return reading.newest(limit)

    @router.get("/orders/{order_id}")
    def one_order(order_id: Annotated[int, Path(ge=0, lt=2**63)]) -> Order:
        found = reading.order(order_id)
        if found is None:
            raise HTTPException(404, "there is no such order, or it is not loaded yet")
        return found

    @router.get("/totals")
    def totals(minutes: Annotated[int, Query(ge=1, le=1440)] = 15) -> list[Total]:
        return reading.totals(minutes)

    @router.get("/batches")
    def newest_batches(limit: Annotated[int, Query(ge=1, le=200)] = 20) -> list[BatchAccount]:
        return reading.batches(limit)

    @router.get("/batches/{batch_id}/rejected")
    def rejected_rows(batch_id: Annotated[str, Path(pattern="^[a-z0-9-]+$")]) -> list[RejectedRow]:
        return reading.rejected(batch_id)

    return router


def _runs(extract: httpx.Client, connections: Connections) -> APIRouter:
    router = APIRouter()

    @router.post("/runs", status_code=201)
    def ask_for_run() -> dict[str, str]:
        try:
            extract.post("/runs").raise_for_status()
        except httpx.HTTPError as error:
            connections.failed(EXTRACT, error)
            raise ExtractUnavailable(f"{type(error).__name__}: {error}") from error
        return {"run": "soon"}

    return router
