"""From the text of a team file to what it means, with every mistake at once."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from sereno_slo.diagnostics import Diagnostic, Severity, Span, has_errors, in_reading_order
from sereno_slo.model import SloReference
from sereno_slo.parse import parse_as
from sereno_slo.parse.yaml_tree import Path, YamlTree
from sereno_slo.source import SourceFile

from sereno_alerting.teams import meaning
from sereno_alerting.teams.grammar import TeamsDocument
from sereno_alerting.teams.model import Owner, Teams

_SECRETS = re.compile(
    r"(?i)(.*_)?(password|passwd|secret|token|bot_token|key|api_key|routing_key|service_key|integration_key|credentials?"
    r"|api_url|webhook_url)"
)
_WITH_SECRETS = ("pagerduty", "slack", "telegram")
_PLACE_OF_FILE = {"password": "password_file", "token": "token_file", "key": "key_file", "url": "url_file"}


@dataclass(frozen=True, slots=True)
class ReadTeams:
    """The teams, None where there are errors; and every mistake."""

    teams: Teams | None
    diagnostics: tuple[Diagnostic, ...]


def read_teams(source: SourceFile) -> ReadTeams:
    """The teams of a file, or every mistake in it."""
    parsed = parse_as(source, TeamsDocument)
    literal, hidden = _literal_secrets(parsed.tree) if parsed.tree else ((), set())
    mistakes = (*literal, *(each for each in parsed.diagnostics if each.span not in hidden))
    if parsed.document is None or parsed.tree is None or has_errors(mistakes):
        return ReadTeams(None, in_reading_order(mistakes))
    found = tuple(meaning.mistakes(parsed.document, parsed.tree))
    diagnostics = in_reading_order((*mistakes, *found))
    if has_errors(found):
        return ReadTeams(None, diagnostics)
    return ReadTeams(meaning.teams_of(parsed.document, parsed.tree, source.origin or source.path), diagnostics)


def _literal_secrets(tree: YamlTree) -> tuple[tuple[Diagnostic, ...], set[Span]]:
    """Keys that would hold a secret itself, and where nothing else may be said: that would show the secret."""
    found: list[Diagnostic] = []
    hidden: set[Span] = set()
    for path, value in _plain_values(tree.value, ()):
        key = str(path[-1])
        # `pagerduty: <the key>` is somebody's first try.
        if _SECRETS.fullmatch(key) or (key in _WITH_SECRETS and isinstance(value, str)):
            kind = next((file for word, file in _PLACE_OF_FILE.items() if word in key.lower()), "key_file")
            message = f"{key} would hold a secret in a file that everybody may read"
            cure = f"write it into a file, and the file's name as {kind}"
            found.append(Diagnostic("ALR001", tree.key_span(path), message, cure))
            hidden |= {tree.key_span(path), tree.span(path)}
    return tuple(found), hidden


def _plain_values(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every key of a mapping with a plain value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in children:
        if isinstance(inner, dict | list):
            yield from _plain_values(inner, (*path, key))
        elif isinstance(key, str) and inner is not None:
            yield (*path, key), inner


def strangers(teams: Teams, owners: Sequence[Owner]) -> tuple[Diagnostic, ...]:
    """Owners that specs name and the team file doesn't: they are told by the default, which may be a typing error."""
    known = {team.name for team in teams.teams}
    seen: dict[str, Span] = {}
    for owner in owners:
        if owner.name not in known:
            seen.setdefault(owner.name, owner.span)
    return tuple(
        Diagnostic(
            "ALR010",
            span,
            f"{teams.source} has no team {name}: its pages and tickets go to the default",
            _cure(name, known),
            Severity.WARNING,
        )
        for name, span in seen.items()
    )


def unknown_waiting(teams: Teams, slos: Collection[SloReference]) -> tuple[Diagnostic, ...]:
    """SLOs that wait for their cause and that no spec describes: a slip would let the real one not wait."""
    return tuple(
        Diagnostic(
            "ALR012",
            waiting.span,
            f"no spec describes {waiting.slo}, whose pages shall wait",
            _nearest(str(waiting.slo), map(str, slos)) or "write service/slo of a spec, or remove it",
            Severity.WARNING,
        )
        for waiting in teams.waiting
        if waiting.slo not in slos
    )


def _cure(name: str, known: Iterable[str]) -> str:
    return _nearest(name, known) or f"write it there, `{name}: {{}}` if the default is meant"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1)
    return f"did you mean {near[0]}?" if near else ""
