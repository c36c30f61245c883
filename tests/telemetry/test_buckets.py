"""Where the histogram's bounds come from, and what happens when that place is broken."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sereno_telemetry import DEFAULT_BUCKETS, instrument

METRIC = "http_server_request_duration_seconds"


def write(folder: Path, document: Any) -> Path:
    """A bucket file."""
    path = folder / "shop.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


@pytest.fixture(autouse=True)
def _no_file_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERENO_BUCKETS_FILE", raising=False)


def test_the_compiled_bounds_are_used(tmp_path: Path, registry: CollectorRegistry) -> None:
    """A threshold of the SLO is a bound of the histogram."""
    path = write(tmp_path, {"service": "shop", "metrics": {METRIC: [0.1, 0.3, 1]}})
    done = instrument(FastAPI(), service="shop", registry=registry, buckets=path)
    assert done.buckets == (0.1, 0.3, 1.0)


def test_the_environment_names_the_file(
    tmp_path: Path, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an argument, SERENO_BUCKETS_FILE says where; an argument wins over it."""
    path = write(tmp_path, {"service": "shop", "metrics": {METRIC: [0.2]}})
    monkeypatch.setenv("SERENO_BUCKETS_FILE", str(path))
    assert instrument(FastAPI(), service="shop", registry=registry).buckets == (0.2,)
    (tmp_path / "other").mkdir()
    other = write(tmp_path / "other", {"service": "shop", "metrics": {METRIC: [0.4]}})
    done = instrument(FastAPI(), service="shop", registry=CollectorRegistry(), buckets=other)
    assert done.buckets == (0.4,)


@pytest.mark.parametrize("value", ["", "  "])
def test_without_a_file_the_usual_bounds_hold(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    """No file is no mistake: the bounds of the conventions, and no warning."""
    monkeypatch.setenv("SERENO_BUCKETS_FILE", value)
    assert instrument(FastAPI(), service="shop", registry=registry).buckets == DEFAULT_BUCKETS
    assert list(DEFAULT_BUCKETS) == [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
    assert caplog.records == []


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{", "unexpected end of data"),
        ("[" * 5000, "depth limit"),
        ("[]", 'it is not {"service"'),
        ({"service": "shop", "metrics": []}, 'it is not {"service"'),
        ({"service": "other", "metrics": {METRIC: [1]}}, "it is for service 'other', this is 'shop'"),
        ({"service": "shop", "metrics": {}}, "no list of bounds"),
        ({"service": "shop", "metrics": {METRIC: []}}, "no list of bounds"),
        ({"service": "shop", "metrics": {METRIC: 0.3}}, "no list of bounds"),
        ({"service": "shop", "metrics": {METRIC: ["0.3"]}}, "bound '0.3' is not a positive number"),
        ({"service": "shop", "metrics": {METRIC: [True]}}, "bound True is not a positive number"),
        ({"service": "shop", "metrics": {METRIC: [0, 1]}}, "bound 0 is not a positive number"),
        ({"service": "shop", "metrics": {METRIC: [0.3, 0.1]}}, "do not ascend"),
        ({"service": "shop", "metrics": {METRIC: [0.3, 0.3]}}, "do not ascend"),
        ({"service": "shop", "metrics": {METRIC: list(range(1, 200))}}, "199 bounds are too many"),
    ],
)
def test_a_malformed_file_is_a_warning_and_the_usual_bounds(
    tmp_path: Path, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture, document: Any, reason: str
) -> None:
    """The service starts; the log says which file, why, what it means and how to write it."""
    path = write(tmp_path, document)
    with caplog.at_level(logging.WARNING):
        done = instrument(FastAPI(), service="shop", registry=registry, buckets=path)
    assert done.buckets == DEFAULT_BUCKETS
    (record,) = caplog.records
    assert str(path) in record.getMessage()
    assert reason in record.getMessage()
    assert "sereno compile" in record.getMessage()


@pytest.mark.parametrize(("name", "reason"), [("missing.json", "No such file"), (".", "Is a directory")])
def test_an_unreadable_file_is_a_warning(
    tmp_path: Path, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture, name: str, reason: str
) -> None:
    """A file that isn't there is told in the words of the system."""
    with caplog.at_level(logging.WARNING):
        done = instrument(FastAPI(), service="shop", registry=registry, buckets=tmp_path / name)
    assert done.buckets == DEFAULT_BUCKETS
    assert reason in caplog.text


def test_apps_that_share_a_registry_share_its_bounds(
    tmp_path: Path, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    """A histogram has one set of bounds: the first app's; a second app that wants others is warned."""
    instrument(FastAPI(), service="shop", registry=registry)
    path = write(tmp_path, {"service": "shop", "metrics": {METRIC: [0.2]}})
    with caplog.at_level(logging.WARNING):
        second = instrument(FastAPI(), service="shop", registry=registry, buckets=path)
    assert second.buckets == DEFAULT_BUCKETS
    assert "shares the registry" in caplog.text
