"""The scenarios of one instrumentation, each in a fork of this process."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from prometheus_client import REGISTRY

from benchmarks.telemetry.correctness.judging import Judgement
from benchmarks.telemetry.correctness.playing import play
from benchmarks.telemetry.correctness.scenarios import SCENARIOS
from benchmarks.telemetry.forking import in_fork
from benchmarks.telemetry.instruments import INSTRUMENTS


class Correctness:
    """Answers {"scenario": name} with the judgement of it."""

    def __init__(self, *, instrument: str) -> None:
        self._instrument = instrument

    def __call__(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Play the scenario."""
        return asdict(in_fork(_play, self._instrument, question["scenario"]))


def _play(instrument: str, scenario: str) -> Judgement:
    return play(INSTRUMENTS[instrument], SCENARIOS[scenario], REGISTRY)
