"""Names of incidents: readable, deterministic, safe as file names, never two the same."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

INCIDENT_ID = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*")
"""What every incident id looks like: a date and words; nothing that means something to a file system or Markdown."""

LONGEST_SLUG = 120
"""With date and number an id stays far below the 255 bytes of a file name."""


def slug(words: Iterable[str]) -> str:
    """Lower-case ASCII letters, digits and single hyphens out of any texts; `incident` if nothing remains."""
    plain = re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-")
    return plain[:LONGEST_SLUG].strip("-") or "incident"


def incident_ids(incident_slug: str, openings: Iterable[datetime]) -> tuple[str, ...]:
    """The ids of the incidents of one slug, given when each was opened (UTC), in that order.

    The first of a day has no number, later ones get `-2`, `-3`. A slug that itself ends in a number always gets one
    (`-1` too), because SLO `api` number 2 and SLO `api-2` number 1 would have the same name otherwise.
    """
    seen: Counter[str] = Counter()
    always_numbered = re.search(r"(^|-)[0-9]+$", incident_slug) is not None
    ids = []
    for opened_at in openings:
        base = f"{opened_at:%Y-%m-%d}-{incident_slug}"
        seen[base] += 1
        ids.append(base if seen[base] == 1 and not always_numbered else f"{base}-{seen[base]}")
    return tuple(ids)
