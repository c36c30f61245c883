"""RabbitMQ with its management API and its own metrics, its own epmd, data and Erlang cookie."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from sereno_cli.demo.backing.model import Backing, Place
from sereno_cli.demo.part import Part

# Not /usr/sbin/rabbitmq-server: that one changes to the rabbitmq user and its data.
SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def _url(place: Place) -> str:
    return f"amqp://guest:guest@127.0.0.1:{place.ports['port']}/%2F"


def _management(place: Place) -> str:
    return f"http://127.0.0.1:{place.ports['management']}"


def _parts(place: Place) -> Sequence[Part]:
    folder, ports = place.folder, place.ports
    (folder / "environment").write_text("")
    (folder / "plugins").write_text("[rabbitmq_management,rabbitmq_prometheus].\n")
    (folder / "rabbitmq.conf").write_text(
        "management.tcp.ip = 127.0.0.1\n"
        f"management.tcp.port = {ports['management']}\n"
        "prometheus.tcp.ip = 127.0.0.1\n"
        f"prometheus.tcp.port = {ports['metrics']}\n"
        "vm_memory_high_watermark.absolute = 400MiB\n"
        "disk_free_limit.absolute = 50MB\n"
    )
    epmd = ("epmd", "-address", "127.0.0.1", "-port", str(ports["epmd"]))
    return (
        # Started here, and not by Erlang itself: as a child it is ended by its own id.
        Part(f"{place.name}.epmd", epmd, f"tcp://127.0.0.1:{ports['epmd']}"),
        Part(
            place.name,
            (str(SCRIPT),),
            f"tcp://127.0.0.1:{ports['port']}",
            _environment(folder, ports),
            folder=folder,
        ),
    )


def _environment(folder: Path, ports: Mapping[str, int]) -> Mapping[str, str]:
    """What Debian's script and Erlang read; what the visitor's own environment says of them is silenced."""
    foreign = {name: "" for name in os.environ if name.startswith(("RABBITMQ_", "ERL_"))}
    return foreign | {
        "HOME": str(folder),  # the Erlang cookie
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(ports["epmd"]),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_DIST_PORT": str(ports["distribution"]),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_NODENAME": f"sereno-{ports['port']}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(ports["port"]),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",  # the machine is shared: no spinning schedulers
    }


BACKING = Backing(
    name="rabbitmq",
    ports=("port", "management", "metrics", "epmd", "distribution"),
    packages="rabbitmq-server",
    is_here=lambda: SCRIPT.exists() and shutil.which("epmd") is not None,
    parts=_parts,
    words={"url": _url, "port": lambda place: place.ports["port"], "management": _management},
    scrapes={"metrics": "rabbitmq"},
)
