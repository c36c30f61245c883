"""Files of known incidents and what is said about them: `incident_cases/<code>-<words>/`, each with `expected.txt`.

The expectation is what `sereno backtest --incidents` prints on standard error. SERENO_UPDATE_GOLDENS=1 writes it anew.
"""

import os
import re
from pathlib import Path

import pytest
from sereno_slo import SourceFile, has_errors
from sereno_slo.backtest import read_incidents
from sereno_slo.codes import CODES

CASES = Path(__file__).parent / "incident_cases"
NAMES = sorted(folder.name for folder in CASES.iterdir())
UPDATE = os.environ.get("SERENO_UPDATE_GOLDENS") == "1"
LINE = re.compile(r"incidents\.yaml:[1-9][0-9]*:[1-9][0-9]*: (error|warning)\[(SLO[0-9]{3})\]: .+ \(.+\)")
_NOVEMBER = (1_793_491_200_000, 1_796_083_200_000)


@pytest.mark.parametrize("name", NAMES)
def test_says_every_mistake(name: str) -> None:
    """Each mistake is one line with place, code and cure; what is wrong is never judged by."""
    text = (CASES / name / "incidents.yaml").read_text(encoding="utf-8")
    incidents, diagnostics = read_incidents(SourceFile("incidents.yaml", text), ["orders", "latency"], *_NOVEMBER)
    said = "".join(f"{diagnostic}\n" for diagnostic in diagnostics)
    if UPDATE:
        (CASES / name / "expected.txt").write_text(said, encoding="utf-8")
    assert said == (CASES / name / "expected.txt").read_text(encoding="utf-8")
    lines = [LINE.fullmatch(line) for line in said.splitlines()]
    assert all(lines), said
    code = name.partition("-")[0]
    assert code not in CODES or code in {line[2] for line in lines if line}, "the case shows what its name says"
    assert [incident.note for incident in incidents] == ([] if has_errors(diagnostics) else ["within"])
