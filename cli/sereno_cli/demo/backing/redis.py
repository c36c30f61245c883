"""Redis, with what it was told kept on disk: a server that is stopped and started again has lost nothing."""

import shutil
from collections.abc import Sequence

from sereno_cli.demo.backing.model import Backing, Place
from sereno_cli.demo.part import Part

SERVER, EXPORTER = "redis-server", "prometheus-redis-exporter"


def _url(place: Place) -> str:
    return f"redis://127.0.0.1:{place.ports['port']}/0"


def _parts(place: Place) -> Sequence[Part]:
    port = place.ports["port"]
    server = (
        SERVER, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(place.folder),
        "--save", "", "--appendonly", "yes", "--maxmemory", "250mb",
    )  # fmt: skip
    metrics = place.ports["exporter"]
    exporter = (EXPORTER, "-redis.addr", _url(place), "-web.listen-address", f"127.0.0.1:{metrics}")
    return (
        Part(place.name, server, f"tcp://127.0.0.1:{port}"),
        Part(f"{place.name}.exporter", exporter, f"http://127.0.0.1:{metrics}/metrics"),
    )


BACKING = Backing(
    name="redis",
    ports=("port", "exporter"),
    packages="redis-server prometheus-redis-exporter",
    is_here=lambda: all(map(shutil.which, (SERVER, EXPORTER))),
    parts=_parts,
    words={"url": _url, "port": lambda place: place.ports["port"]},
    scrapes={"exporter": "redis"},
)
