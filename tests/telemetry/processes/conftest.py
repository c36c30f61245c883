"""Processes that share a folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.shared_metrics import Worker

StartWorker = Callable[..., Worker]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where processes share their metrics; not yet there."""
    return tmp_path / "shared"


@pytest.fixture
def start_worker(folder: Path, tmp_path: Path) -> Iterator[StartWorker]:
    """Start a worker on `folder`; `early` runs before sereno_telemetry is imported."""
    workers: list[Worker] = []

    def start(folder: Path | None = folder, early: str = "") -> Worker:
        workers.append(Worker(folder, early, tmp_path / f"stderr-{len(workers)}"))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
