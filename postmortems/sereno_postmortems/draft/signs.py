"""Signs of an attack beside signs of degradation: callers that change, slow answers, resources that run out."""

from collections.abc import Iterator
from typing import Any

from sereno_postmortems.draft.client_evidence import CLIENT_FIELDS, Client, Clients
from sereno_postmortems.draft.evidence import Evidence
from sereno_postmortems.draft.facts import Fact, Hint, Measured, NotMeasured
from sereno_postmortems.draft.request_evidence import REFUSALS, Answers, Compared, RequestEvidence
from sereno_postmortems.draft.words import count, percent, plural

SLOWER, FASTER = 1.5, 0.67
"""Below that a change of latency or of a resource is called usual."""
STANDS_OUT = 0.2
"""The part of all lines from which on a client is worth a look."""


def signs(evidence: Evidence) -> Iterator[Hint]:
    """What speaks for an attack first, then what speaks for degradation."""
    for requests in evidence.requests:
        yield from _refusals(requests)
    yield from _clients(evidence)
    for requests in evidence.requests:
        yield from _latency(requests)
        yield from _resources(requests)


def unmeasured_signs(evidence: Evidence) -> Iterator[str]:
    """Why a sign couldn't be looked for; each reason once."""
    facts: list[Fact[Any]] = [evidence.affected, evidence.clients]
    for requests in evidence.requests:
        facts += [requests.answers, *requests.latency.values()]
        resources: list[Fact[Any]] = [resource.highest for resource in requests.resources]
        # Processes tell of themselves what they can: what one of them doesn't is no gap, what none does is one.
        facts += resources[:1] if not any(isinstance(fact, Measured) for fact in resources) else []
    yield from dict.fromkeys(fact.reason for fact in facts if isinstance(fact, NotMeasured))


def _refusals(requests: RequestEvidence) -> Iterator[Hint]:
    if not isinstance(requests.answers, Measured):
        return
    found = {answers.code: answers for answers in requests.answers.value if answers.code in REFUSALS}
    bursts = [answers for answers in found.values() if answers.is_burst]
    is_compared = all(answers.usual_count is not None for answers in requests.answers.value)
    for answers in bursts:
        text = f"Sign of an attack, or of a caller gone wrong: {requests.service} {_in_words(answers)}, beyond chance"
        yield Hint(text, requests.answers.sources)
    if not bursts:
        codes = f"{', '.join(REFUSALS[:-1])} or {REFUSALS[-1]}"
        told = "; ".join(_in_words(answers) for answers in found.values()) or "none in the evidence window"
        what = f"No burst of {codes} from {requests.service}" if is_compared else f"Answers {codes}, not known before"
        yield Hint(f"{what}: {told}", requests.answers.sources)


def _in_words(answers: Answers) -> str:
    usual = answers.usual_a_minute
    rates = f"{answers.a_minute:,.1f} a minute, {'not known' if usual is None else f'{usual:,.1f}'} before"
    return f"answered {answers.code} {plural(round(answers.count), 'time')} ({rates})"


def _clients(evidence: Evidence) -> Iterator[Hint]:
    if not isinstance(evidence.clients, Measured):
        return
    clients, sources = evidence.clients.value, evidence.clients.sources
    if not clients.named:
        yield Hint(f"No log line names a client ({', '.join(CLIENT_FIELDS)}), so callers can't be told apart", sources)
        return
    loud = [client for client in clients.busiest if client.lines >= STANDS_OUT * clients.named]
    for client in loud:
        yield Hint(_client_in_words(client, clients), sources)
    if not loud:
        busiest = clients.busiest[0]
        part = percent(busiest.lines / clients.named)
        text = (
            f"No client stands out among {count(clients.distinct)}: the busiest, {busiest.who}, has {part} of the lines"
        )
        yield Hint(f"{text}{_of_how_many(clients)}", sources)


def _client_in_words(client: Client, clients: Clients) -> str:
    part = percent(client.lines / clients.named)
    before = percent(client.usual_lines / clients.usual_named) if clients.usual_named else "none"
    refused = f", {count(client.refused)} of them answered {', '.join(REFUSALS)}" if client.refused else ""
    who = f"{client.field} {client.who}"
    return f"{who} has {part} of the log lines that name a client, {before} before{refused}{_of_how_many(clients)}"


def _of_how_many(clients: Clients) -> str:
    """A sample says that it is one."""
    return (
        ""
        if clients.read == clients.total
        else f" (in a sample of {count(clients.read)} of {count(clients.total)} lines)"
    )


def _latency(requests: RequestEvidence) -> Iterator[Hint]:
    for quantile, fact in requests.latency.items():
        if isinstance(fact, Measured):
            usual = fact.value.usual
            before = f"{_milliseconds(usual)} before" if usual is not None else "not known before"
            what = f"latency p{quantile * 100:.0f} of {requests.service}"
            values = f"{_milliseconds(fact.value.during)}, {before}"
            yield Hint(f"{_change(fact.value, what, 'slower', 'faster')}: {values}", fact.sources)


def _resources(requests: RequestEvidence) -> Iterator[Hint]:
    for resource in requests.resources:
        if isinstance(resource.highest, Measured):
            compared = resource.highest.value
            text = f"{_change(compared, resource.name, 'higher', 'lower')}: {_values(compared, resource.unit)}"
            yield Hint(text, resource.highest.sources)


def _values(compared: Compared, of: str) -> str:
    unit = f" {of}" if of else ""
    during, usual = compared.during, compared.usual
    before = "not known before" if usual is None else f"{number(usual)}{unit} before"
    return f"at most {number(during)}{unit}, {before}"


def _change(compared: Compared, what: str, more: str, less: str) -> str:
    """A sign only where it changed much."""
    usual = compared.usual
    if usual is None:
        return what[0].upper() + what[1:]
    if compared.during >= SLOWER * usual and compared.during > usual:
        times = f" ({compared.during / usual:,.1f} times)" if usual > 0 else ""
        return f"Sign of degradation: {what} is {more}{times}"
    if compared.during <= FASTER * usual:
        return f"{what[0].upper()}{what[1:]} is {less}"
    return f"{what[0].upper()}{what[1:]} is as usual"


def number(value: float) -> str:
    """Three digits that say something, and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits


def _milliseconds(seconds: float) -> str:
    return f"{number(1000 * seconds)} ms" if seconds < 1 else f"{number(seconds)} s"
