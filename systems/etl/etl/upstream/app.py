"""The shop's API."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, HTTPException, Query, Response
from pydantic import AwareDatetime
from reference_system.disturbance import ERRORS, LATENCY, Disturbance
from reference_system.failures import Answer, log_failures
from reference_system.faults import FaultKind, Faults, Parameter, Share

from etl.service import Parts
from etl.upstream.garbage import served
from etl.upstream.quota import Quota
from etl.upstream.shop import Shop

SERVICE = "etl-upstream"

GARBAGE_ROWS = FaultKind(
    "garbage-rows",
    "Rows are told wrong.",
    (Parameter("ratio", "part of the rows", default=0.6, above=0.0, up_to=1.0),),
)
FEW_WRONG_ROWS = FaultKind(
    "few-wrong-rows",
    "A few rows are told wrong.",
    (Parameter("ratio", "part of the rows", default=0.04, above=0.0, up_to=1.0),),
)
SHARED_KEY = FaultKind(
    "shared-key",
    "Somebody else uses our key: the hour's requests are soon used up.",
    (Parameter("per_minute", "requests of the other one", default=100_000.0, above=0.0, up_to=1_000_000.0),),
)

KINDS = (ERRORS, LATENCY, GARBAGE_ROWS, FEW_WRONG_ROWS, SHARED_KEY)


class ShopBroken(Exception):  # noqa: N818 - reads as what happened
    """What is broken while the fault `errors` is on."""


def _fail() -> None:
    raise ShopBroken("the shop's own database did not answer")


class _Spoiling:
    """Which rows are told wrong by the faults that are on."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._shares = {GARBAGE_ROWS: Share(), FEW_WRONG_ROWS: Share()}

    def __call__(self) -> bool:
        spoilt = False
        for kind, share in self._shares.items():
            active = self._faults.active(kind)
            spoilt |= active is not None and share.takes(active.settings["ratio"])
        return spoilt


@contextmanager
def build(parts: Parts) -> Iterator[None]:
    """Add the shop's routes."""
    faults, app = parts.faults, parts.app
    shop = Shop(parts.settings.orders_per_second)
    spoilt = _Spoiling(faults)

    def others_per_second() -> float:
        shared = faults.active(SHARED_KEY)
        return 0.0 if shared is None else shared.settings["per_minute"] / 60

    quota = Quota(parts.settings.requests_per_hour, others_per_second, time.time)
    log_failures(app, {ShopBroken: Answer(500, "the shop is broken")})

    @app.get("/orders", dependencies=[Depends(Disturbance(faults, _fail))])
    async def orders(
        response: Response,
        after: Annotated[int | None, Query(ge=0)] = None,
        since: AwareDatetime | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 100,
    ) -> dict[str, object]:
        if (after is None) == (since is None):
            raise HTTPException(422, "ask for orders after a number, or since a moment")
        grant = quota.ask()
        if not grant.granted:
            raise HTTPException(429, "the hour's requests are used up", headers=grant.headers())
        response.headers.update(grant.headers())
        begin = after if since is None else shop.after_time(since)
        page = shop.page(begin or 0, limit, datetime.now(UTC))
        return {"orders": list(served(page.orders, spoilt)), "last": page.last, "has_more": page.has_more}

    @app.get("/rate_limit")
    async def rate_limit() -> dict[str, int]:
        grant = quota.ask(0)
        return {
            "limit": grant.limit,
            "remaining": grant.remaining,
            "used": grant.limit - grant.remaining,
            "reset_after_seconds": grant.reset_after_seconds,
        }

    yield
