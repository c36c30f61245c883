"""Whether this process shares its metrics; what that takes is imported only if it does."""

import os
from collections.abc import Mapping

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def shared_folder(environment: Mapping[str, str] = os.environ) -> str | None:
    """The folder that the environment names; in lower case it is prometheus_client's own older name."""
    return environment.get(FOLDER_VARIABLE) or environment.get(FOLDER_VARIABLE.lower()) or None


def join_group_if_asked(environment: Mapping[str, str] = os.environ) -> None:
    """Join the processes that share a folder, if one is named; never an exception."""
    folder = shared_folder(environment)
    if folder is not None:
        from sereno_telemetry.processes.group import join_group  # noqa: PLC0415

        join_group(folder)
