"""No secret reaches a line, in no encoding that is written; what was masked stays visible as masked."""

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, example, given, settings
from sereno_telemetry import Masking
from sereno_telemetry.logs.counting import MASKED_METRIC
from sereno_telemetry.logs.masking import ALL_RULES, DEFAULT_RULES, SECRET_KEYS, Masker
from support.memory_log import MemoryLog

_QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def masked(text: str, masking: Masking | None = None) -> str:
    """What masking makes of a text."""
    return Masker(masking or Masking(), lambda _rule, _count: None).text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=hunter2 user=7", "password=[masked:key] user=7"),
        ("Password: hunter2; retry", "Password: [masked:key]; retry"),
        ("db_password => 'hun ter'", "db_password => '[masked:key]'"),
        ("{'password': 'a b', 'x': 1}", "{'password': '[masked:key]', 'x': 1}"),
        ('{"accessToken":"a\\"b","x":1}', '{"accessToken":"[masked:key]","x":1}'),
        (
            '{"x":"{\\"secret\\": \\"a\\\\\\"b\\", \\"u\\": 1}"}',
            '{"x":"{\\"secret\\": \\"[masked:key]\\", \\"u\\": 1}"}',
        ),
        ("Authorization: Bearer abc.def", "Authorization: [masked:key]"),
        ("Cookie: a=1; b=2\nHost: x", "Cookie: [masked:key]\nHost: x"),
        ("[(b'cookie', b's=1'), (b'host', b'x')]", "[(b'cookie', b'[masked:key]'), (b'host', b'x')]"),
        ("GET /x?api_key=abc&page=2", "GET /x?api_key=[masked:key]&page=2"),
        ("callback=%2Fx%3Ftoken%3Dabc", "callback=%2Fx%3Ftoken%3D[masked:key]"),
        (
            '{"x":"{\\"secret\\": \\"a\\\\\\\\\\", \\"u\\": 1}"}',
            '{"x":"{\\"secret\\": \\"[masked:key]\\", \\"u\\": 1}"}',
        ),
        ("X-Api-Key: abc", "X-Api-Key: [masked:key]"),
        ("password=don't tell", "password=[masked:key] tell"),
        ("token={'a': 'b c'} and more", "token=[masked:key]"),
        ("password='not closed", "password='[masked:key]"),
        ("max_tokens=5, tokens: 7", "max_tokens=5, tokens: 7"),
        ("sent with Bearer abc123def", "sent with Bearer [masked:bearer]"),
        ("Basic dXNlcjpwYXNz", "Basic [masked:basic]"),
        ("basic authentication is off", "basic authentication is off"),
        ("postgres://shop:p@ss@db/x", "postgres://shop:[masked:url_password]@db/x"),
        ("http://localhost:8080/a@b", "http://localhost:8080/a@b"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln.", "[masked:jwt]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- ok", "[masked:private_key] ok"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", "[masked:private_key]"),
        ("key AKIAIOSFODNN7EXAMPLE", "key [masked:aws_key]"),
        ("mail bob.o'neil+x@mail.example.com!", "mail [masked:email]!"),
        ("/users/bob%40example.com", "/users/[masked:email]"),
        ("card 4111 1111 1111 1111, 378282246310005", "card [masked:card], [masked:card]"),
        ("order 17 4111-1111-1111-1111 2", "order 17 [masked:card] 2"),
        ("order 4111111111111112, at 1790000001062", "order 4111111111111112, at 1790000001062"),
        ("DE89 3704 0044 0532 0130 00 from 10.0.0.1", "DE89 3704 0044 0532 0130 00 from 10.0.0.1"),
    ],
)
def test_each_rule_masks_its_kind_and_nothing_else(text: str, expected: str) -> None:
    """What a secret looks like is masked, what only resembles one is kept, and masking twice changes nothing more."""
    assert masked(text) == expected
    assert masked(expected) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DE89 3704 0044 0532 0130 00, GB29NWBK60161331926819", "[masked:iban], [masked:iban]"),
        ("DE88370400440532013000", "DE88370400440532013000"),
        ("from 10.0.0.1, 2001:db8::1 at 12:30:45", "from [masked:ip], [masked:ip] at 12:30:45"),
    ],
)
def test_rules_that_are_off_can_be_switched_on(text: str, expected: str) -> None:
    """Bank accounts and addresses are masked on demand."""
    assert masked(text, Masking(rules=ALL_RULES)) == expected


_secrets = st.text(st.characters(codec="utf-8"), min_size=6, max_size=24).map(lambda text: f"S3{text}cr")
_keys = st.sampled_from(SECRET_KEYS).flatmap(
    lambda key: st.sampled_from(
        [key, key.upper(), f"db_{key}", f"x-{key.replace('_', '-')}", key.title().replace("_", "")]
    )
)


def _encodings(secret: str) -> set[str]:
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        repr(secret)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(secret.encode()).decode(),
    }


def _assert_absent(log: MemoryLog, secret: str) -> None:
    assert log.lines
    for form in _encodings(secret):
        assert form not in log.text, form
        assert all(form not in str(line) for line in log.lines), form


@_QUICK
@given(key=_keys, secret=_secrets, other=st.text(max_size=9))
@example(key="password", secret='S3a"b\\cr', other="")  # noqa: S106
@example(key="token", secret="S3a\\'b\" }cr", other="")  # noqa: S106
def test_no_secret_of_a_secret_key_is_in_any_line(key: str, secret: str, other: str) -> None:
    """However a value is handed over under a secret key, none of its encodings is in what is written."""
    log = MemoryLog()
    pair = {key: secret}
    log.logger.info("x", extra={"labels": pair, "ecs": {"http.request": pair, "list": [pair, [{"deep": pair}]]}})
    log.logger.info("x", extra={f"plain_{key}": secret, "body": {"nested": pair, key: {"all": secret}}})
    log.logger.info("got %s", pair)
    log.logger.info("got %r and %s", [pair], other)
    log.logger.info("got %s", json.dumps({"a": pair}))
    log.logger.info("got %s", json.dumps({"a": json.dumps(pair)}))
    log.logger.info("GET /a?%s&x=%s", urlencode(pair), quote_plus(other))
    log.logger.error("failed", exc_info=ValueError(f"refused: {pair!r}"))
    _assert_absent(log, secret)


_typed = {
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqb2huIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "bearer": "Bearer mF_9.B5f-4.1JqM",
    "basic": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    "url_password": "https://shop:topsecret7@db.internal/x",
    "private_key": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIr\n-----END EC PRIVATE KEY-----",
    "aws_key": "AKIAIOSFODNN7EXAMPLE",
    "email": "jane.doe+shop@example.co.uk",
    "card": "5555 5555 5555 4444",
    "iban": "DE89370400440532013000",
    "ip": "203.0.113.77",
}
_kernels = {
    "bearer": "mF_9.B5f-4.1JqM",
    "basic": "QWxhZGRpbjpvcGVuIHNlc2FtZQ",
    "url_password": "topsecret7",
    "private_key": "MHcCAQEEIIr",
}


@pytest.mark.parametrize("rule", ALL_RULES)
def test_no_pattern_is_in_any_line(rule: str) -> None:
    """Wherever a record can hold a secret that its looks betray, it is masked there, and counted."""
    log = MemoryLog(Masking(keys=(), rules=(rule,)))
    value = _typed[rule]
    log.logger.info("before (%s), after", value)
    log.logger.info(value, extra={"note": value, "list": [value], "ecs": {"user.note": value, "list": [[value]]}})
    log.logger.info("x", extra={"labels": {value: "as key"}, "ecs": {f"user.{value}": 1}})
    log.logger.error("x", exc_info=ExceptionGroup(value, [ValueError(value)]))
    log.logger.error(f"{'m' * 32_760} {value}")  # noqa: G004
    log.logger.error("x", exc_info=ValueError(value + "\n" + "y" * 32_750))
    log.logger.name = "uvicorn.access"
    log.logger.info('%s - "%s %s HTTP/%s" %d', "1.2.3.4:5", "GET", f"/{quote(value)}?q={quote_plus(value)}", "1.1", 200)
    _assert_absent(log, _kernels.get(rule, value))
    assert f"[masked:{rule}]" in log.text
    assert log.counted(MASKED_METRIC, rule=rule) >= 10


def test_a_cut_leaves_no_half_of_a_secret(log: MemoryLog) -> None:
    """A secret that stands where a text is cut is left out as a whole."""
    log.logger.error("%s jane.doe@example.com %s", "m" * 32_758, "x" * 5_000)
    assert "jane" not in log.text


def test_card_numbers_that_are_numbers(log: MemoryLog) -> None:
    """A card number doesn't slip through by being an integer."""
    log.logger.info(
        "x", extra={"ecs": {"payment.card": 4111111111111111, "amount": 4111}, "labels": {"n": 4111111111111111}}
    )
    assert "4111111111111111" not in log.text
    assert log.lines[0]["amount"] == 4111


def test_objects_are_masked_by_their_words(log: MemoryLog) -> None:
    """Values of unknown types are written as their text, which is searched like any other."""

    class Settings:
        def __repr__(self) -> str:
            return "Settings(password='hunter2', user='x')"

    log.logger.info(
        "%s", Settings(), extra={"settings": Settings(), "ecs": {"a.b": [Settings()], "raw": b"token=hunter2"}}
    )
    assert "hunter2" not in log.text
    assert log.text.count("[masked:key]") == 4


def test_own_patterns_and_keys() -> None:
    """Callers add rules of their own, and may switch ours off."""
    log = MemoryLog(Masking(keys=("customer",), rules=(), patterns={"ticket": r"T-\d{4,}"}))
    log.logger.info("T-12345 of bob@example.com", extra={"customer": "bob", "password": "p"})
    (line,) = log.lines
    assert line["message"] == "[masked:ticket] of bob@example.com"
    assert line["labels"] == {"customer": "[masked:key]", "password": "p"}
    assert log.counted(MASKED_METRIC, rule="ticket") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"patterns": {"x": "("}}, "the pattern 'x' is no regular expression"),
        ({"patterns": {"x": "a*"}}, "the pattern 'x' matches empty text"),
        ({"patterns": {"email": "a"}}, "'email' is no free name"),
        ({"patterns": {"No Name": "a"}}, "'No Name' is no free name"),
        ({"rules": ("email", "phone")}, "masking knows no rule 'phone'"),
        ({"keys": ("--",)}, "has none"),
    ],
)
def test_wrong_rules_are_told_at_the_start(arguments: dict[str, Any], words: str) -> None:
    """A mistake in the rules is a ValueError that names it, before anything is logged."""
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        Masking(**arguments)


def test_a_masking_is_a_value() -> None:
    """What was checked can't be changed afterwards."""
    patterns = {"ticket": "T-1"}
    masking = Masking(patterns=patterns)
    patterns["broken"] = "("
    assert dict(masking.patterns) == {"ticket": "T-1"}
    with pytest.raises(TypeError):
        masking.patterns["broken"] = "("  # type: ignore[index]


def test_a_search_that_fails_writes_nothing(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be searched is replaced as a whole, and said so: no record passes unmasked."""

    def broken(*_arguments: object) -> tuple[str, int]:
        raise RecursionError("masking is broken")

    monkeypatch.setattr("sereno_telemetry.logs.fragments.NamedSecrets.masked", broken)
    log.logger.info("password=hunter2", extra={"note": "password=hunter2"})
    (line,) = log.lines
    assert line["message"] == line["labels"]["note"] == "[masked:failure]"
    assert log.counted(MASKED_METRIC, rule="failure") == 2


_UNITS = ["a", "a@", "eyJ", "1", "1 ", "password=", "\\", 'password="\\', "://a:", "a%40", "A1 ", ":", "0:", "Bearer "]
_UNITS += ["'password', '", '"', "AKIA", "DE89 ", "=", "x@a.", "1.1.", "-----BEGIN PRIVATE KEY----", "4111 1111 1111 "]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", _UNITS)
def test_no_text_makes_a_rule_go_back_over_and_over(unit: str) -> None:
    """Every rule reads a long text about once: going back for each character would take minutes here."""
    masked(unit * (200_000 // len(unit)), Masking(rules=ALL_RULES))


def test_usual_rules_are_those_of_the_documentation() -> None:
    """Addresses and bank accounts are off, all else is on."""
    assert set(ALL_RULES) - set(DEFAULT_RULES) == {"iban", "ip"}
    assert set(_typed) == set(ALL_RULES)
