"""`python -m benchmarks.fuzz.child TARGET ENGINE SECONDS FOLDER PROGRESS`: one target in a process of its own."""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.fuzz.cases import Runner
from benchmarks.fuzz.damage import ODD_WORDS, inputs_of
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.targets import load

_ROUND = 500
_LONGEST_WORD = 60
"""Of the engine's dictionary."""
_OURS = [
    *("sereno_alerting", "sereno_backends", "sereno_cli", "sereno_collectors", "sereno_exporters", "sereno_portal"),
    *("sereno_postmortems", "sereno_slo", "sereno_telemetry"),
]


def damage(runner: Runner, target: Target) -> None:
    """Hypothesis: good inputs with odd values and damages, another round with another seed until the time is up."""
    from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: PLC0415 - guided runs don't need it

    inputs = inputs_of(target.seeds, target.words)

    def one(data: bytes) -> None:
        if not runner.is_over:
            runner.run(data)

    bounds = settings(
        max_examples=_ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    number = 0
    while not runner.is_over:
        seed(number)(bounds(given(inputs)(one)))()
        number += 1


def guide(runner: Runner, target: Target, corpus: Path) -> None:
    """Atheris: inputs that reach lines of ours that no other has reached are kept and changed further."""
    atheris: Any = import_module("atheris")  # has wheels for some Pythons only
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.seeds):
        (corpus / f"seed{number}").write_bytes(data)
    words = corpus.with_suffix(".dict")
    words.write_text(
        "".join(f'"{_escaped(word)}"\n' for word in (*target.words, *ODD_WORDS) if 0 < len(word) <= _LONGEST_WORD),
        encoding="ascii",
    )

    def one(data: bytes) -> None:
        if runner.is_over:
            runner.save()
            os._exit(0)  # the engine would take anything else for a crash
        runner.run(data)

    options = [
        f"-dict={words}",
        "-rss_limit_mb=0",
        "-timeout=600",
        f"-artifact_prefix={corpus}/",
        "-max_len=8192",
        "-verbosity=0",
        "-print_final_stats=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def _instrumented(name: str) -> Target:
    """The target, with our code made to tell which of its lines run: what was imported before doesn't."""
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=_OURS):
        return load(name)


def main() -> None:
    """Run, and leave what was counted in the file of the progress."""
    name, engine, seconds, folder, progress = sys.argv[1:]
    target = _instrumented(name) if engine == "guided" else load(name)
    runner = Runner(target, float(seconds), Path(folder), Path(progress))
    if engine == "guided":
        guide(runner, target, Path(progress).with_name(f"{name}.corpus"))
    else:
        damage(runner, target)
    runner.save()


if __name__ == "__main__":
    main()
