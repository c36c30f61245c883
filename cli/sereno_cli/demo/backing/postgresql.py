"""PostgreSQL with a database of the system's own. It refuses to run as root: there it gets Debian's user `postgres`."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sereno_cli.demo.backing.model import Backing, Place
from sereno_cli.demo.part import Part
from sereno_cli.demo.places import DemoError

EXPORTER = "prometheus-postgres-exporter"
USER = "sereno"


def programs() -> Path | None:
    """Where initdb and postgres are: Debian keeps them off the PATH, a folder for each version."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    on_path = shutil.which("initdb")
    return debian[-1].parent if debian else Path(on_path).resolve().parent if on_path else None


def runs_as() -> str | None:
    """Who runs it, where that can't be us."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return pwd.getpwnam("nobody").pw_name


def _url(place: Place) -> str:
    # Its usual database: there is one in every server.
    return f"postgresql://{USER}:{place.password}@127.0.0.1:{place.ports['port']}/postgres"


def _parts(place: Place) -> Sequence[Part]:
    found = programs()
    if found is None:
        raise DemoError("PostgreSQL isn't here")
    data = place.folder / "data"
    _initialise(found, place, data)
    port = place.ports["port"]
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "shared_buffers": "16MB",
        "max_connections": 40,
        "fsync": "off",  # what this machine's crash loses is gone with the demo anyway
        "shared_preload_libraries": "pg_stat_statements",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    metrics = place.ports["exporter"]
    return (
        Part(
            place.name,
            (str(found / "postgres"), "-D", str(data), *options),
            # It listens before it lets anybody in: after a crash, or what looks like one, it reads its log first.
            (str(found / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)),
            folder=place.folder,
            user=runs_as(),
            ended_by=signal.SIGINT,  # SIGTERM waits for clients
        ),
        Part(
            f"{place.name}.exporter",
            (EXPORTER, f"--web.listen-address=127.0.0.1:{metrics}"),
            f"http://127.0.0.1:{metrics}/metrics",
            {"DATA_SOURCE_NAME": f"{_url(place)}?sslmode=disable"},
        ),
    )


def _initialise(found: Path, place: Place, data: Path) -> None:
    password = place.folder / "password"
    password.write_text(place.password)
    user = runs_as()
    as_whom: dict[str, Any] = {}
    if user is not None:
        entry = pwd.getpwnam(user)
        as_whom = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        for path in (place.folder, password):
            os.chown(path, entry.pw_uid, entry.pw_gid)
    arguments = [
        str(found / "initdb"), "-D", str(data), "-U", USER, "-E", "UTF8", "--locale=C", "--no-sync",
        "--auth=scram-sha-256", f"--pwfile={password}",
    ]  # fmt: skip
    done = subprocess.run(
        arguments, cwd=place.folder, capture_output=True, text=True, check=False, timeout=120, **as_whom
    )
    if done.returncode != 0:
        raise DemoError(f"{place.name} can't be prepared: {done.stderr.strip()}")


BACKING = Backing(
    name="postgresql",
    ports=("port", "exporter"),
    packages="postgresql prometheus-postgres-exporter",
    is_here=lambda: programs() is not None and shutil.which(EXPORTER) is not None,
    parts=_parts,
    words={
        "url": _url,
        "port": lambda place: place.ports["port"],
        "user": lambda _: USER,
        "password": lambda place: place.password,
    },
    scrapes={"exporter": "postgresql"},
    runs_as=runs_as,
)
