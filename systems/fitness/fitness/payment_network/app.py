"""What the network answers: by the card's last digits, as test cards of real networks do."""

import asyncio
from typing import Annotated

from fastapi import FastAPI
from pydantic import BaseModel, Field
from reference_system.faults import FaultKind, Faults, Parameter, Share

from fitness.program import add_health

BY_CARD_END = {"0051": "51", "0054": "54"}
"""Not enough money; expired. Every other card is good."""
_ISSUER_UNAVAILABLE = "91"

_RATIO = Parameter("ratio", "part of the payments that it hits", default=1.0, above=0.0, up_to=1.0)
NETWORK_DECLINES = FaultKind("network-declines", "The network declines payments: issuer not available.", (_RATIO,))
NETWORK_SILENT = FaultKind(
    "network-silent",
    "The network takes long to answer.",
    (Parameter("seconds", "how long", default=30.0, above=0.0, up_to=60.0), _RATIO),
)
KINDS = (NETWORK_DECLINES, NETWORK_SILENT)


class Request(BaseModel):
    """What shall be authorized."""

    reference: Annotated[str, Field(min_length=1, max_length=64)]
    amount_cents: Annotated[int, Field(gt=0)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    card_number: Annotated[str, Field(pattern=r"^[0-9]{16}$", repr=False)]


class Authorization(BaseModel):
    """The answer, by codes of ISO 8583: 00 is approved."""

    reference: str
    code: str


def create_app(faults: Faults) -> FastAPI:
    """The network's API."""
    app = FastAPI(title="A payment network", version="1.0.0")
    silent, declining = Share(), Share()

    @app.post("/authorizations")
    async def authorize(request: Request) -> Authorization:
        silence = faults.active(NETWORK_SILENT)
        if silence is not None and silent.takes(silence.settings["ratio"]):
            await asyncio.sleep(silence.settings["seconds"])
        decline = faults.active(NETWORK_DECLINES)
        if decline is not None and declining.takes(decline.settings["ratio"]):
            return Authorization(reference=request.reference, code=_ISSUER_UNAVAILABLE)
        return Authorization(reference=request.reference, code=BY_CARD_END.get(request.card_number[-4:], "00"))

    add_health(app)
    return app
