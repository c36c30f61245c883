"""The payment network, as the payments service sees it."""

from typing import Annotated

import httpx
from pydantic import BaseModel, Field, ValidationError

APPROVED = "00"
CUSTOMERS_OWN = {"51": "the card has not enough money", "54": "the card has expired"}
"""What the customer can mend, by codes of ISO 8583; every other refusal is the network's trouble."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_NOT_TAKEN = frozenset({400, 401, 403, 404, 405, 413, 415, 422, 429})
"""The request itself was refused. Any other failure may come from behind the place where money is taken."""


class NetworkFailed(Exception):  # noqa: N818 - reads as what happened
    """It wasn't reached, or refused for reasons of its own: nothing was paid."""


class NetworkSilent(Exception):  # noqa: N818 - reads as what happened
    """It was asked, and gave no answer that says what came of it: it may have taken the money."""


class _Authorization(BaseModel):
    code: Annotated[str, Field(pattern="^[0-9A-Z]{2}$")]


class PaymentNetwork:
    """Asks the network at `url`; safe for several threads."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        # trust_env: a proxy of the surroundings must not stand between two services.
        self._client = httpx.Client(base_url=url, timeout=timeout_seconds, trust_env=False)

    def authorize(self, reference: str, amount_cents: int, currency: str, card_number: str) -> str:
        """The network's answer: `APPROVED` or one of `CUSTOMERS_OWN`. Raises `NetworkFailed`, `NetworkSilent`."""
        asked = {
            "reference": reference,
            "amount_cents": amount_cents,
            "currency": currency,
            "card_number": card_number,
        }
        try:
            answer = self._client.post("/authorizations", json=asked)
        except _NOT_SENT as error:
            raise NetworkFailed(f"the payment network can't be asked: {type(error).__name__}") from error
        except httpx.TimeoutException as error:
            raise NetworkSilent(f"the payment network did not answer within {self._timeout_seconds:g} s") from error
        except httpx.HTTPError as error:
            raise NetworkSilent(f"the payment network was asked and broke off: {type(error).__name__}") from error
        code = _code(answer)
        if code != APPROVED and code not in CUSTOMERS_OWN:
            raise NetworkFailed(f"the payment network refused with code {code}")
        return code

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def _code(answer: httpx.Response) -> str:
    if answer.status_code in _NOT_TAKEN:
        raise NetworkFailed(f"the payment network answered {answer.status_code}")
    if not answer.is_success:
        raise NetworkSilent(f"the payment network answered {answer.status_code}")
    try:
        return _Authorization.model_validate_json(answer.content).code
    except ValidationError as error:
        raise NetworkSilent("the payment network gave an answer that can't be read") from error
