"""One collector at a time for each of its files."""

import fcntl
import os
from pathlib import Path


class LockError(Exception):
    """The file can't be had; the message says why and what to do."""


def hold(path: Path, *, what: str, option: str) -> int:
    """Hold a file for this process until the descriptor is closed.

    Args:
        path: the file; the lock is a file beside it.
        what: what to call it in messages.
        option: the command line's option that names another one.

    Raises:
        LockError: another collector holds it, or the folder can't be written.
    """
    lock_path = path.with_name(f"{path.name}.lock")
    try:
        descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise LockError(f"the {what} {path} can't be used: {lock_path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise LockError(
            f"another collector uses the {what} {path}: stop that one, or name another file with {option}"
        ) from error
    return descriptor
