"""`--public-name`: host names by which people reach a server through a proxy."""

import re
from collections.abc import Callable
from typing import Any

import click

_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def public_name_option(what: str, *, more: str = "") -> Callable[[Any], Any]:
    """The option of a server that is called `what` in its help."""
    return click.option(
        "--public-name",
        "public_names",
        multiple=True,
        metavar="HOST",
        callback=_names,
        help=f"Host name by which {what} through a proxy, without the port; can be repeated.{more}",
    )


def _names(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001
    """Host names as a browser sends them, without the port."""
    names = tuple(name.lower() for name in given)
    for name in names:
        if not _HOST_NAME.fullmatch(name):
            raise click.BadParameter(f"{name!r} is no host name; write for example sereno.example.org")
    return names
