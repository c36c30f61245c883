"""The payment network, as the payments service sees it."""

import httpx
from pydantic import BaseModel, ValidationError

APPROVED = "00"
CUSTOMERS_OWN = {"51": "the card has not enough money", "54": "the card has expired"}
"""What the customer can mend, by codes of ISO 8583; every other refusal is the network's trouble."""


class NetworkFailed(Exception):  # noqa: N818 - reads as what happened
    """The network gave no answer that says anything about the customer's card."""


class NetworkSilent(NetworkFailed):
    """It gave none in time. It may have taken the money."""


class _Authorization(BaseModel):
    code: str


class PaymentNetwork:
    """Asks the network at `url`; safe for several threads."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        # trust_env: a proxy of the surroundings must not stand between two services.
        self._client = httpx.Client(base_url=url, timeout=timeout_seconds, trust_env=False)

    def authorize(self, reference: str, amount_cents: int, currency: str, card_number: str) -> str:
        """The network's answer: `APPROVED` or one of `CUSTOMERS_OWN`. Raises `NetworkFailed`."""
        asked = {
            "reference": reference,
            "amount_cents": amount_cents,
            "currency": currency,
            "card_number": card_number,
        }
        try:
            answer = self._client.post("/authorizations", json=asked)
            answer.raise_for_status()
            code = _Authorization.model_validate_json(answer.content).code
        except httpx.TimeoutException as error:
            raise NetworkSilent(f"the payment network did not answer within {self._timeout_seconds:g} s") from error
        except httpx.HTTPStatusError as error:
            raise NetworkFailed(f"the payment network answered {error.response.status_code}") from error
        except (httpx.HTTPError, ValidationError) as error:
            raise NetworkFailed(f"the payment network can't be asked: {type(error).__name__}") from error
        if code != APPROVED and code not in CUSTOMERS_OWN:
            raise NetworkFailed(f"the payment network refused with code {code[:4]}")
        return code

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
