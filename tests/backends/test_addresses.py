"""Addresses as users write them."""

import pytest
from sereno_backends.addresses import AddressInvalid, http_address


@pytest.mark.parametrize("url", ["http://ana:pa#ss@host:19093", "http://ana:12#ss@host", "http://ana:p/ss@host"])
def test_a_password_that_breaks_the_address_is_not_shown(url: str) -> None:
    """Its signs end the address for every reader; the message says how they are written."""
    with pytest.raises(AddressInvalid) as raised:
        http_address(url, of="incidents'", example="http://127.0.0.1:19093")
    assert "ss" not in str(raised.value).replace("address", "").replace("password", "")


def test_a_wrong_address_without_a_password_is_shown() -> None:
    """It is what the user has to find."""
    with pytest.raises(AddressInvalid, match="'http://:x' is no URL"):
        http_address("http://:x", of="incidents'", example="http://127.0.0.1:19093")
