"""What is missing in a postmortem, as a value: where, which rule, what to write instead."""

from dataclasses import dataclass

CODES = {
    "PM001": "the file can't be read",
    "PM002": "a told place is unanswered",
    "PM003": "the summary is missing",
    "PM004": "the impact is missing",
    "PM005": "the draft's banner is left",
    "PM006": "a question of the analysis is missing or has no answer",
    "PM007": "there are no action items",
    "PM008": "an action item lacks a column or its action",
    "PM009": "an action item has no owner",
    "PM010": "an action item has no due date",
    "PM011": "a date isn't one",
    "PM012": "an action item has no kind, or an unknown one",
    "PM013": "a mark of a measured block is broken",
    "PM014": "it was drafted while the incident was open",
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to mend; `line` and `column` count from 1."""

    path: str
    line: int
    column: int
    code: str
    message: str
    cure: str

    def __str__(self) -> str:
        """`postmortems/x.md:7:14: error[PM009]: the action has no owner (write …)`, on one line, without escapes."""
        text = f"{self.path}:{self.line}:{self.column}: error[{self.code}]: {self.message} ({self.cure})"
        return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
