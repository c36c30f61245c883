"""Evidence in, Markdown out: pure, the same evidence gives the same draft byte for byte."""

from functools import cache
from importlib import resources

import jinja2

from sereno_postmortems.draft.evidence import Evidence
from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, Question, SourceKind
from sereno_postmortems.draft.hints import analysis
from sereno_postmortems.draft.log_evidence import MOST_DEEDS, MOST_MESSAGES, error_in_words
from sereno_postmortems.draft.markdown import Markdown, address, escaped, own_address
from sereno_postmortems.draft.timeline import alert_in_words, timeline
from sereno_postmortems.draft.words import count, duration, moment, percent, plural

TEMPLATE = "postmortem.md.j2"


class SourceNumbers:
    """Numbers questions, such as P1, P2, L1, in the order in which the draft first leans on them."""

    def __init__(self) -> None:
        self._numbers: dict[Question, str] = {}

    def number(self, question: Question) -> str:
        """The question's number, given at its first use."""
        if question not in self._numbers:
            same_kind = sum(known.kind is question.kind for known in self._numbers)
            self._numbers[question] = f"{question.kind.value}{same_kind + 1}"
        return self._numbers[question]

    def mark(self, sources: tuple[Question, ...]) -> Markdown:
        """*measured*, with links to the sources."""
        links = ", ".join(f"[{number}](#{number.lower()})" for number in map(self.number, sources))
        return Markdown(f"*measured* {links}")

    def mark_of(self, fact: Fact[object]) -> Markdown:
        """How a fact is known; a reason for not knowing is escaped, it may quote a server."""
        match fact:
            case Measured(_, sources):
                return self.mark(sources)
            case NotMeasured(reason):
                return Markdown(f"**not measured**: {escaped(reason)}")

    def numbered(self) -> list[tuple[str, Question]]:
        """Every question used so far: record first, then Prometheus, logs, the repository, DevOps events."""
        order = [SourceKind.INCIDENT, SourceKind.PROMETHEUS, SourceKind.LOGS, SourceKind.REPOSITORY, SourceKind.DEVOPS]
        known = [(number, question) for question, number in self._numbers.items()]
        return sorted(known, key=lambda one: order.index(one[1].kind))  # stable: numbers stay in order


def render_draft(evidence: Evidence) -> str:
    """The whole draft; it ends with one line feed."""
    numbers = SourceNumbers()
    numbers.number(evidence.record)
    template = _environment().get_template(TEMPLATE)
    text = template.render(
        evidence=evidence,
        incident=evidence.incident,
        windows=evidence.windows,
        first_notification=min((told.received_at for told in evidence.incident.notifications), default=None),
        owners=sorted({alert.labels["owner"] for alert in evidence.incident.alerts if alert.labels.get("owner")}),
        links=_links(evidence),
        timeline=timeline(evidence),
        questions=analysis(evidence),
        most_deeds=MOST_DEEDS,
        most_messages=MOST_MESSAGES,
        mark=numbers.mark,
        mark_of=numbers.mark_of,
        numbered=numbers.numbered,
    )
    return f"{text.rstrip()}\n"


def _links(evidence: Evidence) -> list[tuple[str, str]]:
    """The alerts' own links, as text: addresses from labels are not made clickable."""
    names = ("runbook_url", "dashboard_url", "logs_url")
    found = {
        (name.removesuffix("_url"), alert.annotations[name])
        for alert in evidence.incident.alerts
        for name in names
        if alert.annotations.get(name)
    }
    return sorted(found)


@cache
def _environment() -> jinja2.Environment:
    """Every printed value goes through `escaped`: forgetting a filter can't make a hole."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template_text),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=escaped,
        autoescape=False,  # noqa: S701 - HTML escaping would be wrong in Markdown; `finalize` escapes
    )
    environment.filters |= {
        "address": address,
        "alert": alert_in_words,
        "as_markdown": Markdown,
        "count": count,
        "duration": duration,
        "error": error_in_words,
        "moment": moment,
        "own_address": own_address,
        "percent": percent,
        "plural": plural,
    }
    environment.tests |= {"measured": lambda fact: isinstance(fact, Measured)}
    return environment


def _template_text(name: str) -> str:
    return (resources.files(__package__) / "templates" / name).read_text(encoding="utf-8")
