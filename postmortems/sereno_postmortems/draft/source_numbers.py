"""Questions as a draft numbers and shows them."""

from collections.abc import Mapping, Sequence

from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, Question, SourceKind
from sereno_postmortems.draft.markdown import Markdown, address, escaped

_ORDER = [SourceKind.INCIDENT, SourceKind.PROMETHEUS, SourceKind.LOGS, SourceKind.REPOSITORY, SourceKind.DEVOPS]


class SourceNumbers:
    """Numbers questions, such as P1, P2, L1, in the order in which the draft first leans on them.

    `known` are numbers that an earlier draft gave, by what it said of the question (`source_in_words`): the same
    question keeps its number, and no other one gets it, because people may lean on it.
    """

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self._known = dict(known or {})
        self._taken = set(self._known.values())
        self._numbers: dict[Question, str] = {}

    def number(self, question: Question) -> str:
        """The question's number, given at its first use."""
        if question not in self._numbers:
            self._numbers[question] = self._known.get(source_in_words(question)) or self._next(question.kind.value)
        return self._numbers[question]

    def mark(self, sources: Sequence[Question]) -> Markdown:
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
        known = [(number, question) for question, number in self._numbers.items()]
        return sorted(known, key=lambda one: (_ORDER.index(one[1].kind), int(one[0][1:])))

    def _next(self, letter: str) -> str:
        at = 1
        while f"{letter}{at}" in self._taken:
            at += 1
        self._taken.add(f"{letter}{at}")
        return f"{letter}{at}"


def source_in_words(question: Question) -> Markdown:
    """Where, for which time and what was asked; queries as code, to be copied."""
    place = f"{address(question.place)}, {escaped(question.asked_for)}:"
    if question.kind is SourceKind.PROMETHEUS:
        return Markdown(f"{place}\n\n```promql\n{question.text}\n```")
    return Markdown(f"{place}\n{escaped(question.text)}")
