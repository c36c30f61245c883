"""`python -m benchmarks.log_fingerprints`: how right groups are, and what they cost; 1 where a promise is missed."""

import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from sereno_backends.logs.fingerprint import fingerprint

from benchmarks.log_fingerprints.messages import FORMS, messages

PEER = "drain3==0.9.11"
FOLDER = Path("var/benchmarks/log_fingerprints")
PROMISED_ACCURACY = 0.8
PROMISED_MICROSECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Result:
    """How one way of grouping did."""

    name: str
    groups: Sequence[Hashable]
    microseconds: float


@click.command()
@click.option("--seed", default=1, show_default=True, type=int, help="Which values fill the forms.")
@click.option("--per-form", default=200, show_default=True, type=click.IntRange(2, 10_000), help="Messages of a form.")
def main(*, seed: int, per_form: int) -> None:
    """Group messages whose true kinds are known, by fingerprints and by drain3 (installed into an environment aside).

    Grouping accuracy: the share of messages whose group is exactly the set of messages of their form (Zhu et al., 2019,
    "Tools and Benchmarks for Automated Log Parsing"). The forms and values: benchmarks/log_fingerprints/messages.py.
    """
    made = messages(seed, per_form)
    texts, forms = [text for text, _ in made], [form for _, form in made]
    print(f"{len(texts)} messages of {len(FORMS)} forms, seed {seed}\n")
    print("| | grouping accuracy | groups | forms split | forms merged | CPU µs a message |")
    print("|---|---|---|---|---|---|")
    own = _own(texts)
    for result in (own, *_peers(texts)):
        split, merged = _faults(result.groups, forms)
        print(
            f"| {result.name} | {accuracy(result.groups, forms):.1%} | {len(set(result.groups))} "
            f"| {split} | {merged} | {result.microseconds:.1f} |"
        )
    found = accuracy(own.groups, forms)
    kept = found >= PROMISED_ACCURACY and own.microseconds <= PROMISED_MICROSECONDS
    print(f"\nat least {PROMISED_ACCURACY:.0%}, at most {PROMISED_MICROSECONDS:g} µs: {'kept' if kept else 'missed'}")
    sys.exit(0 if kept else 1)


def accuracy(groups: Sequence[Hashable], forms: Sequence[str]) -> float:
    """The share of messages whose group is exactly the set of messages of their form."""
    of_group, of_form, of_both = Counter(groups), Counter(forms), Counter(zip(groups, forms, strict=True))
    right = sum(count for (group, form), count in of_both.items() if count == of_group[group] == of_form[form])
    return right / len(forms)


def _faults(groups: Sequence[Hashable], forms: Sequence[str]) -> tuple[int, int]:
    """How many forms are in several groups, and how many share a group with another."""
    groups_of, forms_of = defaultdict(set), defaultdict(set)
    for group, form in zip(groups, forms, strict=True):
        groups_of[form].add(group)
        forms_of[group].add(form)
    together = {form for sharing in forms_of.values() if len(sharing) > 1 for form in sharing}
    return sum(len(found) > 1 for found in groups_of.values()), len(together)


def _own(texts: Sequence[str]) -> Result:
    begun = time.process_time()
    groups = [fingerprint(text).identity for text in texts]
    return Result("Sereno", groups, (time.process_time() - begun) / len(texts) * 1e6)


def _peers(texts: Sequence[str]) -> list[Result]:
    python = FOLDER / "venv" / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(FOLDER / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install", PEER], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"left out: {PEER} can't be installed ({error})", file=sys.stderr)
        return []
    program = Path(__file__).with_name("drain_peer.py")
    answer = subprocess.run(
        [str(python), str(program)], check=True, input=json.dumps(texts).encode(), capture_output=True
    )
    told = json.loads(answer.stdout)
    return [Result(name, one["groups"], one["seconds"] / len(texts) * 1e6) for name, one in told.items()]


if __name__ == "__main__":
    main()
