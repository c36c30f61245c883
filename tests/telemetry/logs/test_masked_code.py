"""Secrets in lines of code, which stack traces quote."""

import pytest
from sereno_telemetry.logs.masking import Masker, Masking


@pytest.mark.parametrize(
    "code",
    [
        'password = "hunter2"',
        'password: str = "hunter2"',
        'password: Final[str] = "hunter2"',
        "password: 'str' = b'hunter2'",
        'if token == "hunter2":',
        'if (token := "hunter2"):',
        'connect(user="bob", password="hunter2")',
        "defaults = {'api_key': 'hunter2', 'user': 'bob'}",
    ],
)
def test_a_secret_in_a_line_of_code_is_masked(code: str) -> None:
    """Neither annotations nor comparisons between a name and its value hide the value."""
    masked = Masker(Masking(), lambda _rule, _count: None).text(f"    {code}")
    assert "hunter2" not in masked
    assert "[masked:key]" in masked
