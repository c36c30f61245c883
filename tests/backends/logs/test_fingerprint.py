"""Fingerprints of messages: stable, bounded, and the same for messages that say the same."""

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sereno_backends.logs import MessageCount
from sereno_backends.logs.fingerprint import MOST_CHARACTERS, MOST_TEMPLATE_CHARACTERS, fingerprint
from sereno_backends.logs.message_groups import grouped
from support.log_records import NOON

# Fingerprints stand in Prometheus' history and in postmortems: a row is never changed, new ones may be added.
GOLDEN = [
    ("user 4711 not found in 12.5ms", None, "user <num> not found in <duration>", "9f7b2500c958"),
    (
        "can't reach 10.0.0.1:5432 after 3 attempts",
        "ConnectionError",
        "can't reach <ip> after <num> attempts",
        "e6c079c4cb18",
    ),
    ("no route to [2001:db8::8a2e:370:7334]:443", None, "no route to <ip>", "97c456339221"),
    ("KeyError: 'amount'", "KeyError", "KeyError: <str>", "da8fb6e85a19"),
    ('field "iban" of order `a-17` is missing', None, "field <str> of order <str> is missing", "b9099835bd9e"),
    (
        "cannot open /var/lib/app/data.0017.db: No space left on device",
        "OSError",
        "cannot open <path>: No space left on device",
        "822a9140e221",
    ),
    ("wrote C:\\Temp\\report.txt.", None, "wrote <path>.", "32f350928071"),
    ("GET https://api.example.org/v1/users/42?full=1 returned 503", None, "GET <url> returned <num>", "0e7c684d736e"),
    (
        "2026-11-25T12:00:00.007Z retry at 12:30:01, last Nov  3 04:05:06",
        None,
        "<time> retry at <time>, last <time>",
        "3c24af3bfc65",
    ),
    ("commit 3f2a1bc by ada@example.org", None, "commit <num> by <email>", "00744e149688"),
    ("job 550e8400-e29b-41d4-a716-446655440000 is dead", None, "job <uuid> is dead", "39697219b968"),
    ("pod checkout-7d9f8b6c5-x2kzq evicted from node12", None, "pod <pod> evicted from node<num>", "313ffb3190ba"),
    (
        "S3 upload of x509 certificate failed with utf8 error",
        None,
        "S3 upload of x509 certificate failed with utf8 error",
        "029d39787216",
    ),
    ("rows [1, 2, 3] are locked", None, "rows [<num>, …] are locked", "39a3202a5bb6"),
    ("segfault at 0x7ffe12ab in std::vector", None, "segfault at <num> in std::vector", "cb24d9385ca4"),
    (
        'payment refused user=bob amount=12.50 reason="no money"',
        None,
        "payment refused user=<val> amount=<val> reason=<val>",
        "203118c393db",
    ),
    ("order ORD7XK2Q9 waits", None, "order <id> waits", "a6acec9810c1"),
    (
        "timeout (30s), 99.9% of 1,234 done, offset -5",
        None,
        "timeout (<duration>), <num>% of <num> done, offset <num>",
        "2d577ddfcc55",
    ),
    ("first line\nsecond\tline\x00end", None, "first line second line end", "b9b8c27504fc"),
    (
        "Zahlung abgelehnt für Kunde 42 \u2013 später erneut",
        None,
        "Zahlung abgelehnt für Kunde <num> \u2013 später erneut",
        "6db231ff908b",
    ),
    ("state == open", None, "state == open", "b1192a8e5c37"),
    ("", None, "", "6e340b9cffb3"),
    (
        "Get https://10.1.2.3:6443/healthz: dial tcp 10.1.2.3:6443: i/o timeout after 1m30s",
        None,
        "Get <url>: dial tcp <ip>: i/o timeout after <duration>",
        "e6cdb82596ec",
    ),
    ("db-1.eu.example.org:5432 gone, 512Mi of 2GiB used", None, "<host> gone, <size> of <size> used", "8335d6d00f63"),
    ("java.io.IOException in com.example.App", None, "java.io.IOException in com.example.App", "226e28a84613"),
    ("a decade of facades", None, "a decade of facades", "ae0eb2faed35"),
    ("RYNGPKWUL7 and ERR42", None, "<id> and ERR<num>", "5e4523341a74"),
]
HOSTILE = [
    sign * 2_000 for sign in ("a", "1", "'", '"', ":", "/", "-", ".", " ", "=", "@", "[", "\n", "\0", "\ud800", "é")
]
HOSTILE += [part * 1_000 for part in ("'a", "a:", "/a", "1.", "a=", "a.@", "a@b.", "b2-", "2026-11-25T", "ab1-", "0x")]


@pytest.mark.parametrize(("message", "error_type", "template", "identity"), GOLDEN)
def test_fingerprints_are_those_of_every_version(
    message: str, error_type: str | None, template: str, identity: str
) -> None:
    """A message has the template and the identity that every version of Sereno gives it."""
    found = fingerprint(message, error_type)
    assert (found.template, found.identity) == (template, identity)


def test_the_type_of_the_error_counts() -> None:
    """Two errors with one message and different types are two."""
    assert fingerprint("failed", "A").identity != fingerprint("failed", "B").identity


@given(st.text(max_size=1_500), st.none() | st.text(max_size=50))
def test_any_message_has_a_safe_template(message: str, error_type: str | None) -> None:
    """Whatever a message holds: one printable line within the bound, the same each time."""
    found = fingerprint(message, error_type)
    assert found == fingerprint(message, error_type)
    assert found.template == "" or found.template.isprintable()
    assert len(found.template) <= MOST_TEMPLATE_CHARACTERS
    found.template.encode()


@given(st.lists(st.sampled_from(list("ab1.:-/@='\"`[]{}<> \n,%+x~TZé")), max_size=300).map("".join))
def test_what_looks_like_variables_has_a_safe_template(message: str) -> None:
    """Signs that begin and end variables, in any order, are no trouble."""
    found = fingerprint(message).template
    assert found == "" or found.isprintable()


_NAMES = st.from_regex(r"[a-z]+", fullmatch=True)
_FORMS: dict[str, list[st.SearchStrategy[object]]] = {
    "order {} of user={} failed after {}ms": [st.integers(0), _NAMES, st.integers(0)],
    "{} refused {}": [st.ip_addresses(v=4), st.uuids()],
    "{}: cannot read '{}'": [st.datetimes().map(lambda at: at.isoformat()), st.from_regex(r"[^'\n]*", fullmatch=True)],
    "host {} gone": [st.ip_addresses(v=6).filter(lambda ip: any(map(str.isdigit, str(ip))))],
}


@given(st.data(), st.sampled_from(sorted(_FORMS)))
def test_variables_change_nothing(data: st.DataObject, form: str) -> None:
    """Two messages of one form have one fingerprint, whatever numbers, addresses, ids and quoted texts are in it."""
    some, others = ([data.draw(each) for each in _FORMS[form]] for _ in range(2))
    assert fingerprint(form.format(*some)) == fingerprint(form.format(*others))


@pytest.mark.parametrize("message", HOSTILE, ids=lambda message: repr(message[:12]))
def test_time_is_bounded(message: str) -> None:
    """A hostile message costs no more than some milliseconds: nothing is tried again and again."""
    spent = []
    for _ in range(5):
        begun = time.process_time()
        fingerprint(message)
        spent.append(time.process_time() - begun)
    assert min(spent) < 0.01


def test_the_end_of_a_long_message_does_not_count() -> None:
    """Beyond the characters that are looked at, nothing matters; a number that is cut there is none."""
    head = "payment refused by the bank " * 60
    cut = head[: MOST_CHARACTERS - 3]
    assert fingerprint(f"{cut} 12345") == fingerprint(f"{cut} 99 and more")


def test_a_word_that_is_cut_is_left_out() -> None:
    """Half a word would name a kind of its own where what stands before it became short."""
    head = "ids " + "123, " * ((MOST_CHARACTERS - 8) // 5)
    assert len(head) < MOST_CHARACTERS - 4
    assert fingerprint(f"{head}payments") == fingerprint(f"{head}paybacks")


def test_messages_of_one_kind_are_one_group() -> None:
    """Counts are added, times widened, the newest trace and the most frequent message shown; levels stay apart."""
    counts = [
        MessageCount("user 1 unknown", "error", 5, NOON, NOON + timedelta(seconds=5), "t1"),
        MessageCount("user 2 unknown", "error", 7, NOON - timedelta(seconds=9), NOON, None),
        MessageCount("user 3 unknown", "warning", 40, NOON, NOON, None),
        MessageCount("disk full", "error", 2, NOON, NOON, None),
    ]
    warning, error, disk = grouped(counts)
    assert (warning.level, warning.count, disk.count) == ("warning", 40, 2)
    assert (error.fingerprint.template, error.count, error.different_messages) == ("user <num> unknown", 12, 2)
    assert (error.first, error.last) == (NOON - timedelta(seconds=9), NOON + timedelta(seconds=5))
    assert (error.message, error.trace_id) == ("user 2 unknown", "t1")
