"""One instrumentation with one broken stage, in a fork of this process: the answers to every kind of request."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from prometheus_client import REGISTRY, CollectorRegistry

from benchmarks.telemetry.correctness.shop import shop
from benchmarks.telemetry.driving import USUAL_HEADERS, Answer, Exchange, http_scope, traceparent
from benchmarks.telemetry.faults.stages import Faults, provider_for
from benchmarks.telemetry.forking import in_fork
from benchmarks.telemetry.instruments import BARE, INSTRUMENTS, Instrument, Setting

PATHS = ("/shops/7/items/4711", "/tenants/acme/orders/4711", "/nothing", "/boom", "/half", "/stream", "/upload")


@dataclass(frozen=True, slots=True)
class Broken:
    """What one broken stage does."""

    requests: int
    broken: int
    """How many were answered otherwise than by the bare app."""
    hits: int
    """How often the broken stage was called at all."""
    example: str
    """What became of the first of them."""


class FaultInjection:
    """Answers {"stage": name} with what became of the requests."""

    def __init__(self, *, instrument: str) -> None:
        self._instrument = instrument
        self._bare: list[Answer] | None = None

    def __call__(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Break the stage, and send requests of every kind."""
        stage = question["stage"]
        if self._bare is None:
            self._bare, _ = in_fork(_answers, BARE, stage)  # nothing of it is ever called there
        answers, hits = in_fork(_answers, self._instrument, stage)
        different = [
            (path, expected, answer)
            for path, expected, answer in zip(PATHS, self._bare, answers, strict=True)
            if answer != expected
        ]
        example = describe(*different[0]) if different else ""
        return {"requests": len(PATHS), "broken": len(different), "hits": hits, "example": example}


def describe(path: str, expected: Answer, answer: Answer) -> str:
    """How an answer differs from the bare app's."""
    code = answer.status_code or "no answer"
    change = (
        f"{path}: {code}" if answer.status_code == expected.status_code else f"{path}: {code} for {_code(expected)}"
    )
    if answer.raised != expected.raised:
        return f"{change}, raised {(answer.raised or 'nothing').partition(':')[0]}"
    return change


def answers_of(instrument: Instrument, stage: str, registry: CollectorRegistry) -> tuple[list[Answer], int]:
    """The answers while the stage is broken, and how often it was called."""
    app = shop()
    with Faults([stage]) as faults:
        provider = provider_for([stage]) if instrument.traces else None
        instrument.install(app, Setting(provider, 1.0, registry))
        with faults.armed():
            answers = asyncio.run(_send_all(app))
        return answers, faults.hits


def _answers(instrument: str, stage: str) -> tuple[list[Answer], int]:
    return answers_of(INSTRUMENTS[instrument], stage, REGISTRY)


async def _send_all(app: FastAPI) -> list[Answer]:
    answers = []
    for number, path in enumerate(PATHS, start=1):
        has_parent = number % 2 == 0
        headers = [*USUAL_HEADERS, *([(b"traceparent", traceparent(number, sampled=True))] if has_parent else [])]
        method = "POST" if path == "/upload" else "GET"
        answers.append(await Exchange().run(app, http_scope(method, path, headers)))
    return answers


def _code(answer: Answer) -> str:
    return str(answer.status_code or "no answer")
