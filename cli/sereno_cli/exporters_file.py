"""`exporters.yaml` read: its targets, or every mistake with its place, code and cure."""

from dataclasses import replace
from pathlib import Path

from sereno_exporters.frame.configuration import ConfiguredTarget, grammar_of, targets_of
from sereno_exporters.kinds import KINDS, load
from sereno_slo.diagnostics import Diagnostic
from sereno_slo.parse import parse_as
from sereno_slo.source import read_source

_ABSENT = "write one as docs/exporters.md shows, or name yours with --config"


def read_targets(path: Path) -> tuple[tuple[ConfiguredTarget, ...], tuple[Diagnostic, ...]]:
    """The configured targets, of which there are none where the file has errors."""
    source = read_source(path)
    if isinstance(source, Diagnostic):
        return (), (replace(source, hint=_ABSENT) if source.code == "SLO040" else source,)
    kinds = load(sorted(KINDS))
    parsed = parse_as(source, grammar_of(kinds))
    if parsed.document is None:
        return (), parsed.diagnostics
    return targets_of(parsed.document, kinds, path.parent), parsed.diagnostics
