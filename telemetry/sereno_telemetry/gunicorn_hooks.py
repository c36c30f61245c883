"""What gunicorn.conf.py may import, if metrics are shared through PROMETHEUS_MULTIPROC_DIR.

    from sereno_telemetry.gunicorn_hooks import child_exit

The import makes gunicorn's master the one that empties the folder, before there are workers; the hook adds a dead
worker's figures to the sums at once. Without both, the first worker and the next scrape do it.
"""

from sereno_telemetry.processes.group import current_group


def child_exit(server: object, worker: object) -> None:  # noqa: ARG001 - gunicorn calls hooks by position
    """Gunicorn's hook of this name: a worker has ended."""
    group = current_group()
    if group is not None:
        group.tidy()
