"""Lines that belong together are held together, and no others."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sereno_collectors.logs.model import Format
from sereno_collectors.logs.parsing.multiline import begins_event

PYTHON = """\
2026-11-25 12:00:00,123 ERROR checkout Payment failed
Traceback (most recent call last):
  File "/app/pay.py", line 7, in pay
    bank.charge(card)
    ~~~~~~~~~~~^^^^^^
ConnectionRefusedError: [Errno 111] Connection refused

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/pay.py", line 9, in pay
    raise PaymentError from error
  [Previous line repeated 3 more times]
checkout.errors.PaymentError: the bank did not answer"""

JAVA = """\
2026-11-25T12:00:00Z ERROR c.e.Checkout - Payment failed
java.lang.IllegalStateException: no bank
\tat com.example.Bank.charge(Bank.java:17)
\tat com.example.Checkout.pay(Checkout.java:9)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.connect(Net.java:579)
\t... 12 more
... 3 more"""

JAVA_UNCAUGHT = """\
Exception in thread "main" java.lang.IllegalStateException: no bank
\tat com.example.Bank.charge(Bank.java:17)"""

GO = """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47b2a9]

goroutine 1 [running]:
main.(*Bank).Charge(...)
\t/app/bank.go:12
main.pay({0xc000012345, 0x2}, 0x1)
\t/app/main.go:7 +0x1d
created by main.main
\t/app/main.go:3 +0x5b
exit status 2"""

NODE = """\
TypeError: Cannot read properties of undefined (reading 'card')
    at pay (/app/pay.js:3:11)
    at Object.<anonymous> (/app/pay.js:7:1) {
  code: 'E_CARD'
}

Node.js v20.11.0"""

DOT_NET = """\
Unhandled exception. System.InvalidOperationException: no bank
 ---> System.Net.Http.HttpRequestException: Connection refused
   at Bank.Charge() in /app/Bank.cs:line 12
   --- End of inner exception stack trace ---
   at Program.Main() in /app/Program.cs:line 3"""

ECS = '{"@timestamp":"2026-11-25T12:00:00.000Z","message":"m"}'
PRETTY = '{\n  "message": "m",\n  "order": {\n    "id": 7\n  }\n}'
ACCESS = '10.0.0.7 - - [25/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5'
TRACES = {
    "python": PYTHON,
    "java": JAVA,
    "java uncaught": JAVA_UNCAUGHT,
    "go": GO,
    "node": NODE,
    "dot net": DOT_NET,
    "ecs": ECS,
    "pretty": PRETTY,
    "access": ACCESS,
}


def grouped(text: str, format: Format = Format.AUTO, *, told: bool = True) -> list[str]:  # noqa: A002
    """The events of a text, as a reader puts them together."""
    events: list[list[str]] = []
    previous = b""
    for line in text.split("\n"):
        if begins_event(line.encode(), format, previous if told else b"") or not events:
            events.append([])
        events[-1].append(line)
        previous = line.encode()
    return ["\n".join(lines) for lines in events]


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("event", TRACES.values(), ids=TRACES.keys())
def test_an_event_of_several_lines_is_one(event: str, format: Format) -> None:  # noqa: A002
    """A stack trace of any of the languages is one event, between lines of every kind, in every format."""
    for before in (ECS, ACCESS, "2026-11-25 12:00:00,000 INFO started", 'level=info msg="m"'):
        assert grouped(f"{event}\n{before}", format) == [event, before]
    assert grouped(f"{ECS}\n{event}\n{ECS}", format) == [ECS, event, ECS]


@pytest.mark.parametrize("event", [PYTHON, JAVA, JAVA_UNCAUGHT, GO, DOT_NET, ECS, PRETTY, ACCESS])
def test_the_line_before_is_not_needed(event: str) -> None:
    """A reader that does not remember the line before still gets each of these as one event."""
    assert grouped(f"{event}\n{ACCESS}", told=False) == [event, ACCESS]


@pytest.mark.parametrize(
    "line",
    [
        ECS,
        ACCESS,
        "2026-11-25 12:00:00 Traceback",
        "INFO started",
        "[2026-11-25 12:00:00] started",
        "[INFO] done",
        "<34>1 2026-11-25T12:00:00Z host app - - - m",
        "Nov 25 12:00:00 host app[7]: m",
        "Error: cannot connect",
        "Exception in thread main",
        "panic: no bank",
        "goroutines: 7",
        "Errors were found (3)",
        "---",
        "(7 rows)",
        "écran",
    ],
)
def test_a_line_of_its_own_begins_an_event(line: str) -> None:
    """Whatever loggers begin their lines with begins an event, after any other such line."""
    for previous in (b"INFO started", ECS.encode(), b"    at pay (/app/pay.js:3:11)"):
        assert begins_event(line.encode(), Format.AUTO, previous)


def test_two_traces_without_a_word_between_them_are_two() -> None:
    """Node's and Java's errors that are printed one after another are told apart by the frame before."""
    node = "\n".join(NODE.split("\n")[:2])
    java = "java.lang.IllegalStateException: no bank\n\tat com.example.Bank.charge(Bank.java:17)"
    assert grouped(f"{node}\n{node}") == [node, node]
    assert grouped(f"{java}\n{java}") == [java, java]


def test_a_line_of_json_stands_alone() -> None:
    """A trace, an indented line and a closing brace after a line of JSON are not its continuation; a blank one is."""
    for after in ("Traceback (most recent call last):\n  File", "  indented", "}", "main.pay(0x1)"):
        assert grouped(f"{ECS}\n{after}") == [ECS, after]
    assert grouped(f"{ECS}\n\n \r\n{ECS}") == [f"{ECS}\n\n \r", ECS]


def test_no_line_makes_the_rule_slow() -> None:
    """Lines that are nearly a function of a Go panic, at each of their dots, cost what other lines cost."""
    began = time.process_time()
    for _ in range(5_000):
        begins_event(b"a" + b"." * 511, Format.AUTO, b"text")
    assert time.process_time() - began < 2  # 0.03 s; 5 s where each dot is tried with all behind it


@given(st.binary(), st.sampled_from(Format), st.binary())
def test_any_bytes_have_an_answer(line: bytes, format: Format, previous: bytes) -> None:  # noqa: A002
    """No bytes make the rule fail, blank lines begin nothing, and a brace always begins an event."""
    begins = begins_event(line, format, previous)
    assert not (begins and not line.strip())
    assert begins_event(b"{" + line, format, previous)
