"""Every code of a diagnostic is a promise: it has a case, a place in the documentation, and a place in the compiler."""

import re
from pathlib import Path

import pytest
from sereno_slo.codes import CODES, RETIRED

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"\bSLO[0-9]{3}\b")


def _codes_in(paths: list[Path]) -> set[str]:
    return {code for path in paths for code in CODE.findall(path.read_text(encoding="utf-8"))}


def test_every_code_has_a_case() -> None:
    """Each code is shown by a spec in tests/slo/cases, or in server_cases beside a server's past, and no other."""
    expected = (ROOT / "tests/slo").glob("*cases/*/expected.txt")
    assert _codes_in(list(expected)) == set(CODES)


def test_the_compiler_uses_every_code() -> None:
    """No code outlives its rule, and no diagnostic has a code without a rule."""
    modules = [path for path in (ROOT / "slo/sereno_slo").rglob("*.py") if path.name != "codes.py"]
    assert _codes_in(modules) == set(CODES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_documented(code: str) -> None:
    """docs/spec.md has a row for the code that says what happened and what to do."""
    text = (ROOT / "docs/spec.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith(f"| {code} |")]
    assert len(rows) == 1
    cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
    assert len(cells) == 3
    assert all(cells)


@pytest.mark.parametrize("code", RETIRED)
def test_retired_codes_are_never_used_again(code: str) -> None:
    """A code whose rule is gone stays documented as such, so that no new rule takes its number."""
    assert code not in CODES
    assert f"| {code} | Retired: " in (ROOT / "docs/spec.md").read_text(encoding="utf-8")
