"""`sereno collect`: follow logs into a log store, receive DevOps webhooks."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from sereno_cli.commands.collect_devops import devops
from sereno_cli.exit_codes import ExitCode
from sereno_cli.log_collection.request import (
    DEFAULT_CHECKPOINT,
    DEFAULT_DEAD_LETTERS,
    DEFAULT_LOG_STORE,
    check_inputs,
    make_folders,
    request_of,
)
from sereno_cli.log_collection.running import collect

OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Collect logs, or DevOps events by webhooks."""


command.add_command(devops)


@command.command()
@click.option(
    "--file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Log file to follow, through rotation, or a quoted pattern ('logs/*.log'); may be given several times.",
)
@click.option("--stdin", is_flag=True, help="Collect what another program writes into this one's standard input.")
@click.option(
    "--otlp",
    metavar="HOST:PORT",
    help="Take logs by OTLP/HTTP there (POST /v1/logs); --web-config says with which TLS, and of whom.",
)
@click.option("--log-store", default=DEFAULT_LOG_STORE, show_default=True, type=OUTPUT, help="SQLite file to write.")
@click.option(
    "--checkpoint",
    default=DEFAULT_CHECKPOINT,
    show_default=True,
    type=OUTPUT,
    help="How far the store has answered for the files: where reading begins if the queue is lost.",
)
@click.option(
    "--queue",
    type=OUTPUT,
    help="SQLite file in which events wait for the store.  [default: beside the checkpoint, *.queue.sqlite]",
)
@click.option(
    "--queue-bytes",
    default=1_000_000_000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Size at which the queue is full: reading waits then, nothing is dropped.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="[PATTERN=]NAME",
    help="Form of the lines, of all files or of those that a pattern names: auto, ecs, json, logfmt, plain, access, "
    "syslog, docker, cri.  [default: auto, each line as what it unmistakably is]",
)
@click.option(
    "--time-zone", default="UTC", show_default=True, help="Zone of times in text that name none, as Europe/Berlin."
)
@click.option("--service", help="service.name of events that name none.  [default: the file's name]")
@click.option("--dataset", help="event.dataset of events that name none.  [default: app]")
@click.option("--label", multiple=True, metavar="NAME=VALUE", help="Label that every document gets.")
@click.option("--tag", multiple=True, help="Tag that every document gets.")
@click.option(
    "--dead-letters",
    default=DEFAULT_DEAD_LETTERS,
    show_default=True,
    type=OUTPUT,
    help="Lines that the store refuses, with the reasons.",
)
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address of the collector's own metrics.")
@click.option(
    "--metrics-port",
    default=19094,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port of the collector's own metrics; 0: any free one. Not served with --once.",
)
@click.option(
    "--web-config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TLS and users of the metrics and of --otlp, as Prometheus' own web configuration writes them.",
)
@click.option(
    "--retention",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="How long each dataset is kept, done every hour.  [default: logs.retention.yaml, where it is there]",
)
@click.option("--once", is_flag=True, help="Collect what is in the files now, print the figures, end.")
def logs(**options: Any) -> ExitCode:
    """Collect logs (JSON or any text) from files, standard input or OTLP into a log store, until Ctrl-C.

    \b
    sereno collect logs --file logs/checkout.log
    sereno collect logs --file a.log --file b.log --log-store var/logs.sqlite
    sereno collect logs --file 'logs/*.log' --label team=payments --queue-bytes 5000000000
    sereno collect logs --file '/var/log/nginx/*.log' --format 'access*=access' --time-zone Europe/Berlin
    sereno collect logs --file logs/checkout.log --once
    my-service | sereno collect logs --stdin --service my-service
    sereno collect logs --otlp 127.0.0.1:4318
    sereno collect logs --otlp 0.0.0.0:4318 --web-config web.yml
    SERENO_ELASTICSEARCH_URL=https://logs.example.org:9200 sereno collect logs --file logs/checkout.log

    Every event is stored once. It waits in a queue on disk until the store has answered for it, and survives kill -9
    and power cuts there; a traceback of several lines is one event. What the store refuses for good goes to the dead
    letters. While the queue is full, the files wait. Missing folders of the outputs are made.

    \b
    SERENO_ELASTICSEARCH_URL             write to Elasticsearch instead of --log-store; several with commas between
    SERENO_ELASTICSEARCH_API_KEY_FILE    file with an API key for it; or user:password@ in the address; or both of
    SERENO_ELASTICSEARCH_USERNAME_FILE   file with the user's name
    SERENO_ELASTICSEARCH_PASSWORD_FILE   file with the password
    SERENO_ELASTICSEARCH_CA_FILE         certificate of a private authority, or
    SERENO_ELASTICSEARCH_CA_FINGERPRINT  its SHA-256 in hexadecimal
    SERENO_ELASTICSEARCH_COMPRESSION     gzip: smaller requests for more CPU  [default: none]

    These files are read anew when they change.

    Exit codes: 0 ended well, 2 a file or an argument is wrong, 3 the store can't be reached or the port is taken.
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    request = request_of(options)
    check_inputs(request)
    make_folders(request)
    with ExitStack() as cleanup:
        return collect(request, cleanup)
