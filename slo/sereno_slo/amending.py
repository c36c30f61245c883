"""Lines that commands leave in specs; everything else of the file, comments and order, stays as it is."""

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime

from sereno_slo.parse.yaml_tree import read_yaml
from sereno_slo.source import SourceFile

_KEY = "exclusions"


@dataclass(frozen=True, slots=True)
class NewExclusion:
    """What a spec is told not to count, once."""

    start: datetime
    end: datetime
    reason: str
    author: str
    slo: str | None = None
    """Of this SLO only; None: of all."""

    def line(self) -> str:
        """The entry in YAML's flow style, which stays one line whatever the reason says."""
        only = f", slos: [{self.slo}]" if self.slo else ""
        start, end = (_written(moment) for moment in (self.start, self.end))
        once = f'once: {{from: "{start}", to: "{end}"}}'
        return f"- {{reason: {_quoted(self.reason)}, author: {_quoted(self.author)}, {once}{only}}}"


def with_exclusion(source: SourceFile, exclusion: NewExclusion) -> SourceFile | str:
    """The spec with one exclusion more, the newest first; what is wrong where its list can't be added to.

    The text has the file's own line endings.
    """
    tree, mistakes = read_yaml(source)
    if tree is None:
        return str(mistakes[0])
    lines = source.text.splitlines(keepends=True)
    ending = "\r\n" if source.text.count("\r\n") > source.text.count("\n") / 2 else "\n"
    if not tree.has((_KEY,)):
        last = [] if not lines or lines[-1].endswith("\n") else [ending]
        added = [*last, f"{_KEY}:{ending}", f"  {exclusion.line()}{ending}"]
        return replace(source, text="".join((*lines, *added)))
    span = tree.key_span((_KEY,))
    rest = lines[span.line - 1][span.column - 1 + len(_KEY) :]
    if not re.fullmatch(r"\s*:\s*(\[\s*\])?\s*(#.*)?\s*", rest):
        return f"{span}: {_KEY} stand in one line, to which nothing is added; add it by hand: {exclusion.line()}"
    head = re.sub(r"\[\s*\]", "", rest).rstrip()
    lines[span.line - 1] = f"{lines[span.line - 1][: span.column - 1]}{_KEY}{head}{ending}"
    indent = next((each.partition("-")[0] for each in lines[span.line :] if re.match(r"\s*-", each)), "  ")
    lines.insert(span.line, f"{indent if tree.value.get(_KEY) else '  '}{exclusion.line()}{ending}")
    return replace(source, text="".join(lines))


def _quoted(text: str) -> str:
    """A YAML text in double quotes, which JSON's are."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
