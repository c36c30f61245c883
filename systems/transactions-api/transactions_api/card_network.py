"""What is broken while the fault `errors` is on."""


class CardNetworkTimeout(Exception):  # noqa: N818 - reads as what happened
    """The network that authorizes payments gave no answer in time."""


def authorize() -> None:
    """Ask the card network, which doesn't answer."""
    raise CardNetworkTimeout("the card network did not answer within 2.0 s")
