"""Addresses of HTTP servers as users write them."""

import ipaddress

import httpx


class AddressInvalid(Exception):  # noqa: N818 - reads as what happened
    """The address can't work; the message says why and how to write it, without its credentials."""


def http_address(url: str, *, of: str, example: str) -> httpx.URL:
    """Take the address of a server (`of` names it in messages) apart.

    Raises:
        AddressInvalid: it is no address of an HTTP server.
    """
    cure = f"write it like {example}"
    try:
        address = httpx.URL(url.strip())
    except (httpx.InvalidURL, ValueError):
        # Neither the address nor the library's words: a password with a # or / in it would be taken for a part of them.
        hint = "; signs such as # / ? @ in a password are written as %23 %2F %3F %40" if "@" in url else ""
        shown = "" if "@" in url else f" {url!r}"
        raise AddressInvalid(f"{of} address{shown} is no URL{hint}; {cure}") from None
    url = without_credentials(address)
    if address.scheme not in {"http", "https"}:
        raise AddressInvalid(f"{of} address {url!r} doesn't begin with http:// or https://; {cure}")
    if not address.host:
        raise AddressInvalid(f"{of} address {url!r} names no host; {cure}")
    if address.query or address.fragment:
        shown = "" if "@" in url else f" {url!r}"
        raise AddressInvalid(f"{of} address{shown} has a ? or # part; give the server's address only")
    return address


def without_credentials(address: httpx.URL) -> str:
    """The address as it may be shown."""
    return str(address.copy_with(username=None, password=None))


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: no proxy of the environment knows its ports."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
