"""NGINX's configuration: the nodes in turn, and a line about each answer for the watcher."""

import shutil
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import urlsplit

from devops_events.gateway.settings import Settings
from devops_events.platforms import WEBHOOKS
from devops_events.settings import LOOPBACK

TRIES: Final = 2
CONNECT_SECONDS: Final = 0.5
READ_SECONDS: Final = 4
"""Platforms give up after ten seconds: with all tries the gateway says before that that nobody answers. A node that
takes up to six, two each for a held claim, a connection and a confirm, may be answering while the next one is asked."""
_SEARCHED = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin"

# One process, so that stopping or freezing it does so to all of it. A delivery has an idempotency key, so that one
# which a node didn't answer may be given to the next: if both have published it, it is stored once all the same.
_CONFIGURATION = Template("""\
daemon off;
master_process off;
pid $files/pid;
error_log stderr warn;
worker_rlimit_nofile 4096;
events { worker_connections 1024; }
http {
    log_format answers escape=json '{"path":"$$uri","status":$$status,"seconds":$$request_time,'
        '"upstream":"$$upstream_addr","header_seconds":"$$upstream_header_time"}';
    access_log off;
    client_body_temp_path $files/body;
    proxy_temp_path $files/proxy;
    fastcgi_temp_path $files/fastcgi;
    uwsgi_temp_path $files/uwsgi;
    scgi_temp_path $files/scgi;
    client_max_body_size 25m;
    server_tokens off;
    upstream ingestion {
$nodes
        keepalive 64;
    }
    server {
        listen $host:$port backlog=511;
        location $webhooks {
            access_log syslog:server=$loopback:$answers_port,nohostname,tag=gateway answers;
            proxy_pass http://ingestion;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $$host;
            proxy_connect_timeout ${connect_milliseconds}ms;
            proxy_read_timeout ${read_seconds}s;
            proxy_next_upstream error timeout non_idempotent;
            proxy_next_upstream_tries $tries;
        }
        location = /health { return 200 "ok\\n"; }
        location = /stub_status { stub_status; allow $loopback; deny all; }
        location / { return 404; }
    }
}
""")


def program(settings: Settings) -> str | None:
    """Where nginx is; None where there is none, or none is wanted."""
    return nginx_at(settings.nginx)


def nginx_at(told: str) -> str | None:
    """Where nginx is, for who was told so of it: nothing, its place, or `none`."""
    return None if told == "none" else told or shutil.which("nginx", path=_SEARCHED)


def write_configuration(settings: Settings) -> Path:
    """Write nginx.conf and return its path.

    Raises:
        OSError: the folder can't be written.
    """
    folder = settings.files.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    nodes = "\n".join(f"        server {urlsplit(url).netloc} max_fails=2 fail_timeout=5s;" for url in settings.nodes)
    path = folder / "nginx.conf"
    path.write_text(
        _CONFIGURATION.substitute(
            files=folder,
            nodes=nodes,
            host=settings.host,
            port=settings.port,
            webhooks=WEBHOOKS,
            loopback=LOOPBACK,
            answers_port=settings.answers_port,
            connect_milliseconds=round(1000 * CONNECT_SECONDS),
            read_seconds=READ_SECONDS,
            tries=TRIES,
        ),
        encoding="utf-8",
    )
    return path
