"""Who let a deployment pass although a gate said no, shortly before the incident or while it lasted."""

from pathlib import Path

from sereno_backends.gate_overrides import GateOverride, OverridesUnreadable, read_overrides

from sereno_postmortems.draft.facts import Fact, Measured, NotMeasured, Question, SourceKind
from sereno_postmortems.draft.windows import Windows


def ask_overrides(path: Path | None, windows: Windows) -> Fact[tuple[GateOverride, ...]]:
    """Those recorded from the beginning of the baseline on, of every service: what was deployed elsewhere matters, too.

    Without a file nobody has overridden anything; one that can't be read is a source that is missing.
    """
    start, end = windows.baseline.start, windows.evidence.end
    if path is None:
        return Measured((), ())
    asked = Question(SourceKind.REPOSITORY, str(path), "recorded_at in the window", f"{start:%FT%TZ} to {end:%FT%TZ}")
    try:
        records = read_overrides(path)
    except OverridesUnreadable as error:
        return NotMeasured(str(error), (asked,))
    return Measured(tuple(record for record in records if start <= record.recorded_at <= end), (asked,))
