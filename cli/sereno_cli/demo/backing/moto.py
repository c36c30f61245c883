"""AWS as moto's server: SNS, SQS, S3, CloudWatch, in memory. What it was told is lost when it is stopped."""

from collections.abc import Sequence
from importlib.util import find_spec

from sereno_cli.demo.backing.model import Backing, Place
from sereno_cli.demo.part import Part


def _url(place: Place) -> str:
    return f"http://127.0.0.1:{place.ports['port']}"


def _parts(place: Place) -> Sequence[Part]:
    arguments = (place.python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(place.ports["port"]))
    return (Part(place.name, arguments, f"{_url(place)}/moto-api/"),)


BACKING = Backing(
    name="moto",
    ports=("port",),
    packages="",
    is_here=lambda: find_spec("moto") is not None,
    parts=_parts,
    words={"url": _url, "port": lambda place: place.ports["port"]},
    scrapes={},
)
